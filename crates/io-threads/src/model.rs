//! Every order in which the steps of two threads may happen, and every value that weak memory may show them: `--cfg volo_loom`.
#![allow(clippy::unwrap_used)]

use std::{
    future::poll_fn,
    sync::Arc,
    time::{Duration, Instant},
};

use loom::{future::block_on, model::Builder, sync::Notify, thread};
use volo_js_tape::{Header, Kind};

use crate::{Batch, Command, Link, Mailbox, TapeSize};

const TAPE: TapeSize = TapeSize { slots: 16, text: 0, bytes: 0 };

/// Threads are seldom interrupted more often than this between two steps that matter, and the number of orders grows with its power.
const PREEMPTIONS: usize = 3;

/// A model takes seconds. One that takes longer than this has grown beyond what can be explored, and is not to pass for that.
const LONGEST: Duration = Duration::from_secs(300);

fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    // It stops there without a word, as if all had been seen.
    builder.max_duration = Some(LONGEST);
    let began = Instant::now();
    builder.check(body);
    assert!(began.elapsed() < LONGEST, "the model was not explored to its end");
}

/// A batch with one message for the owner `n`.
fn batch(n: u32) -> Batch {
    let mut batch = Batch::new(TAPE);
    fill(&mut batch, n);
    batch
}

fn fill(batch: &mut Batch, n: u32) {
    let mut tape = batch.tape();
    let header = Header { kind: Kind::Call, call: 0, generation: 0, method: 0, owner: n };
    tape.begin(&header, 16).unwrap().commit();
}

/// The owner that the first message of a batch is for.
fn owner(batch: &Batch) -> u32 {
    let mut slots = [0; 16];
    assert!(batch.copy_to(&mut slots, &mut [], &mut []));
    (slots[3] >> 32) as u32
}

/// A link, and what its isolate waits for.
fn link() -> (Arc<Link>, Arc<Notify>) {
    let bell = Arc::new(Notify::new());
    let rung = bell.clone();
    (Arc::new(Link::new(Arc::new(move || rung.notify()), TAPE)), bell)
}

/// A letter whose content does not matter here.
fn letter() -> Command {
    Command::Close { owner: 0, grace: Duration::ZERO }
}

async fn letters<T>(mailbox: &Mailbox<T>) -> Vec<T> {
    let mut letters = Vec::new();
    poll_fn(|cx| mailbox.poll_take(&mut letters, cx)).await;
    letters
}

#[test]
fn every_letter_arrives_and_those_of_one_sender_in_order() {
    model(|| {
        let mailbox = Arc::new(Mailbox::default());
        let senders = [10, 20].map(|first| {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                mailbox.push(first);
                mailbox.push(first + 1);
            })
        });
        let mut all = Vec::new();
        // A wake-up that is lost would leave this waiting for ever, which loom calls a deadlock.
        while all.len() < 4 {
            all.extend(block_on(letters(&mailbox)));
        }
        for first in [10, 20] {
            let own: Vec<i32> = all.iter().copied().filter(|letter| letter / 10 * 10 == first).collect();
            assert_eq!(own, [first, first + 1]);
        }
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn a_bell_is_heard_with_letters_or_without() {
    model(|| {
        let mailbox = Arc::new(Mailbox::default());
        let ringing = mailbox.clone();
        let sender = thread::spawn(move || {
            ringing.ring();
            ringing.push(());
        });
        let mut letter = 0;
        while letter == 0 {
            letter += block_on(letters(&mailbox)).len();
        }
        sender.join().unwrap();
    });
}

#[test]
fn batches_arrive_in_order_and_a_full_shelf_is_tried_again() {
    model(|| {
        const BATCHES: u32 = 3;
        let (link, bell) = link();
        let shared = link.clone();
        let io = thread::spawn(move || {
            let mut batch = batch(0);
            for n in 0..BATCHES {
                // The shelf is full: the isolate rings when it has taken what lies there.
                while !shared.put(&mut batch) {
                    block_on(letters(shared.mailbox()));
                }
                assert!(batch.is_empty(), "what comes back is for the next messages");
                fill(&mut batch, n + 1);
            }
        });
        let mut next = 0;
        while next < BATCHES {
            bell.wait();
            while let Some(batch) = link.take() {
                assert_eq!(owner(&batch), next);
                next += 1;
                link.give_back(batch);
            }
        }
        io.join().unwrap();
        assert!(link.take().is_none());
    });
}

#[test]
fn an_isolate_never_thinks_that_all_is_done_while_an_answer_is_on_its_way() {
    model(|| {
        let (link, bell) = link();
        let shared = link.clone();
        // A turn that answers a letter: the batch is laid down, then the turn is reported.
        let io = thread::spawn(move || {
            let taken = block_on(letters(shared.mailbox())).len() as u64;
            let mut answer = batch(7);
            assert!(shared.put(&mut answer));
            shared.report(false, taken);
        });
        link.send(letter());
        loop {
            // Before the answer is taken there is always a reason to stay.
            assert!(link.is_busy());
            if let Some(batch) = link.take() {
                assert_eq!(owner(&batch), 7);
                break;
            }
            bell.wait();
        }
        // And in the end there is none, which it is told of.
        while link.is_busy() {
            bell.wait();
        }
        io.join().unwrap();
    });
}

#[test]
fn an_isolate_is_told_when_a_thread_has_nothing_more_to_do() {
    model(|| {
        let (link, bell) = link();
        let shared = link.clone();
        // The letter is worked off at once, but what it began takes a further turn.
        let io = thread::spawn(move || {
            let taken = block_on(letters(shared.mailbox())).len() as u64;
            shared.report(true, taken);
            shared.report(false, 0);
        });
        link.send(letter());
        while link.is_busy() {
            bell.wait();
        }
        io.join().unwrap();
        assert!(!link.is_busy());
    });
}

#[test]
fn the_end_of_a_thread_is_told() {
    model(|| {
        let (link, bell) = link();
        let shared = link.clone();
        let io = thread::spawn(move || shared.fail());
        while !link.has_failed() {
            bell.wait();
        }
        io.join().unwrap();
    });
}
