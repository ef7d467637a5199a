//! The codec does not allocate in steady state, and nothing when it is fed nonsense.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::BytesMut;
use support::random::{Entropy, any_message, any_schema};
use support::{Tape, encode, item_response, item_schema, out_tape};
use volo_js_protobuf::{Limits, Program, Sizes, encode_message};

thread_local! {
    /// Allocations of this thread.
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has nothing left to count with.
    let _ = COUNTED.try_with(|counted| counted.set(counted.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `alloc` above, so from the system.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: `at` came from `alloc` above, so from the system.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNTED.get();
    work();
    COUNTED.get() - before
}

#[test]
fn decoding_and_encoding_allocate_nothing() {
    let mut from = [0; 700];
    for (n, byte) in from.iter_mut().enumerate() {
        *byte = (n * 151 + 7) as u8;
    }
    let mut from = Entropy::new(&from);
    let every = any_schema(&mut from, false);
    let large = any_message(&every, 0, 5, &mut from);
    for (schema, index, value) in [(item_schema(), 1, item_response()), (every, 0, large)] {
        let program = Program::compile(&schema).unwrap();
        let mut wire = encode(&schema, index, &value).unwrap();
        // Something unknown, and everything once more.
        wire.extend([0xFA, 0x7F, 1, 7]);
        wire.extend_from_within(..);
        let mut tape = Tape::large();
        let made = allocations(|| {
            for _ in 0..100 {
                tape.state.reset();
                tape.decode(&program, index, &wire, &Limits::default()).unwrap();
            }
        });
        assert_eq!(made, 0);
        let (writer, base) = out_tape(&schema, index, &value);
        let (tape, mut sizes, mut out) = (writer.tape(), Sizes::new(), BytesMut::with_capacity(1 << 16));
        let mut round = || {
            out.clear();
            encode_message(&program, index, &tape, base, &mut sizes, &mut out).unwrap();
        };
        // The sizes take room once.
        round();
        assert_eq!(allocations(|| (0..100).for_each(|_| round())), 0);
    }
}

#[test]
fn nonsense_allocates_nothing() {
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u8
    };
    let choices: Vec<u8> = (0..100).map(|_| random()).collect();
    let program = Program::compile(&any_schema(&mut Entropy::new(&choices), false)).unwrap();
    let mut tape = Tape::new(1 << 12, 1 << 12, 1 << 12);
    for _ in 0..2000 {
        // Small numbers are likely, and so are lengths that claim to be huge.
        let wire: Vec<u8> =
            (0..200).map(|_| random()).map(|byte| if byte & 1 == 0 { byte >> 3 } else { byte }).collect();
        let made = allocations(|| {
            let _ = tape.decode(&program, 0, &wire, &Limits { slots: 1 << 12, ..Limits::default() });
        });
        tape.state.reset();
        assert_eq!(made, 0);
    }
}
