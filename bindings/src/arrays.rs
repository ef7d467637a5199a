//! Memory of JavaScript's beside the tapes: what large messages are received into, and what they are sent from.

use std::{
    cell::{Cell, RefCell},
    hint, ptr,
    rc::Rc,
    slice,
    sync::{Arc, Mutex, PoisonError},
};

use napi::sys;
use volo_js_tape::Array;
use volo_js_transport::{Lender, Memory};

use crate::host::scoped;

/// The largest block that glibc learns from, less what stands before one: 32 MiB.
const LESSON: usize = (32 << 20) - (64 << 10);

/// Numbers of memory that nothing in Rust refers to any more.
type Freed = Arc<Mutex<Vec<u32>>>;

/// Buffers of JavaScript's that Rust writes large messages to. JavaScript sees one only when its message is whole and delivered.
pub(crate) struct Arrays {
    env: sys::napi_env,
    /// What keeps each alive, by number.
    references: RefCell<Vec<Option<sys::napi_ref>>>,
    /// Numbers that may be given out again.
    spare: RefCell<Vec<u32>>,
    freed: Freed,
    /// The allocator knows of large buffers.
    prepared: Cell<bool>,
}

impl Arrays {
    pub(crate) fn new(env: sys::napi_env) -> Rc<Self> {
        Rc::new(Self {
            env,
            references: RefCell::default(),
            spare: RefCell::default(),
            freed: Freed::default(),
            prepared: Cell::new(false),
        })
    }

    /// What an engine of this isolate's thread gets its memory by.
    pub(crate) fn lender(self: &Rc<Self>) -> Lender {
        let arrays = self.clone();
        Box::new(move |len| arrays.lend(len).map(|lent| Box::new(lent) as Box<dyn Memory>))
    }

    fn lend(&self, len: usize) -> Option<Lent> {
        self.collect();
        if !self.prepared.replace(true) {
            // Large buffers come with every message and go by the dozen, when V8 collects them. glibc would give the pages back to the system then, only
            // to have them zeroed again: a third of the time of a message of 1 MiB. It keeps up to twice the size of the largest block that it has
            // seen freed; this one is never touched.
            drop(hint::black_box(Vec::<u8>::with_capacity(LESSON)));
        }
        let (mut data, mut reference) = (ptr::null_mut(), ptr::null_mut());
        let made = scoped(self.env, || {
            let mut value = ptr::null_mut();
            // SAFETY: the engine runs on the isolate's thread while its environment is alive. No JavaScript runs in either call. What is in a
            // buffer made so is not set; nobody reads it before the engine has filled it.
            unsafe {
                sys::napi_create_buffer(self.env, len, &raw mut data, &raw mut value) == sys::Status::napi_ok
                    && sys::napi_create_reference(self.env, value, 1, &raw mut reference) == sys::Status::napi_ok
            }
        });
        if !made {
            return None;
        }
        let mut references = self.references.borrow_mut();
        let number = self.spare.borrow_mut().pop().unwrap_or_else(|| {
            references.push(None);
            references.len() as u32 - 1
        });
        references[number as usize] = Some(reference);
        Some(Lent { data: data.cast(), len, number, freed: self.freed.clone() })
    }

    /// Lets go of what Rust does not refer to any more.
    pub(crate) fn collect(&self) {
        for number in self.freed.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Some(reference) = self.references.borrow_mut().get_mut(number as usize).and_then(Option::take) {
                // SAFETY: made in `lend` in this environment, which is alive, and deleted once.
                unsafe { sys::napi_delete_reference(self.env, reference) };
                self.spare.borrow_mut().push(number);
            }
        }
    }

    /// Lets go of everything: the environment ends, and no engine of it runs again.
    pub(crate) fn release(&self) {
        for reference in self.references.borrow_mut().iter_mut().filter_map(Option::take) {
            // SAFETY: as in `collect`. What Rust still refers to is never looked at again, for only a running engine does that.
            unsafe { sys::napi_delete_reference(self.env, reference) };
        }
    }

    /// The arrays as JavaScript is to see them, in an array. Null if there are none.
    ///
    /// # Safety
    /// The caller is on the isolate's thread, in a handle scope of its environment, which is alive.
    pub(crate) unsafe fn show(&self, arrays: &[Array]) -> sys::napi_value {
        let mut all = ptr::null_mut();
        if arrays.is_empty() {
            return all;
        }
        let references = self.references.borrow();
        // SAFETY: the caller's contract. Where a value cannot be made its place stays empty, and the message that needs it is refused.
        unsafe {
            sys::napi_create_array_with_length(self.env, arrays.len(), &raw mut all);
            for (index, array) in arrays.iter().enumerate() {
                let mut value = ptr::null_mut();
                let known = array.number.and_then(|number| references.get(number as usize).copied().flatten());
                let status = match known {
                    Some(reference) => sys::napi_get_reference_value(self.env, reference, &raw mut value),
                    None => sys::napi_create_buffer_copy(
                        self.env,
                        array.bytes.len(),
                        array.bytes.as_ptr().cast(),
                        ptr::null_mut(),
                        &raw mut value,
                    ),
                };
                if status == sys::Status::napi_ok {
                    sys::napi_set_element(self.env, all, index as u32, value);
                }
            }
        }
        all
    }
}

/// One buffer.
struct Lent {
    data: *mut u8,
    len: usize,
    number: u32,
    freed: Freed,
}

// SAFETY: the memory is reached by this value alone until its message is delivered, and only read by Rust and JavaScript in turn from then on;
// what the drop touches has a lock.
unsafe impl Send for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `lend` made it of this length, the reference keeps it alive until this is dropped, and JavaScript does not run meanwhile.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; JavaScript does not know the buffer before it is delivered, and then nobody writes to it any more.
        unsafe { slice::from_raw_parts_mut(self.data, self.len) }
    }
}

impl Memory for Lent {
    fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.freed.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// The memory of typed arrays that JavaScript lends, which are the elements of `arrays`. What is no array counts as an empty one.
///
/// # Safety
/// The caller is on the isolate's thread in an N-API call that got `arrays`, and no JavaScript runs while it has the slices.
pub(crate) unsafe fn lent_by<'a>(env: sys::napi_env, arrays: sys::napi_value) -> Vec<&'a [u8]> {
    let mut count = 0;
    // SAFETY: the caller's contract; results point to locals.
    if unsafe { sys::napi_get_array_length(env, arrays, &raw mut count) } != sys::Status::napi_ok {
        return Vec::new();
    }
    let lent = (0..count).map(|index| {
        let (mut value, mut data, mut length, mut kind) = (ptr::null_mut(), ptr::null_mut(), 0, 0);
        // SAFETY: the caller's contract: the array keeps its elements alive, and nobody detaches or changes them meanwhile. A view of no memory
        // has no pointer to it.
        unsafe {
            let is_array = sys::napi_get_element(env, arrays, index, &raw mut value) == sys::Status::napi_ok
                && sys::napi_get_typedarray_info(
                    env,
                    value,
                    &raw mut kind,
                    &raw mut length,
                    &raw mut data,
                    ptr::null_mut(),
                    ptr::null_mut(),
                ) == sys::Status::napi_ok;
            if !is_array || kind != sys::TypedarrayType::uint8_array || data.is_null() {
                return &[][..];
            }
            slice::from_raw_parts(data.cast(), length)
        }
    });
    lent.collect()
}
