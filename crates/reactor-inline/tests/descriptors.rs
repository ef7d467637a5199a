//! A process without descriptors. It is this one's limit, so there is no other test here.
#![cfg(unix)]

mod support;

use volo_js_reactor_inline::Reactor;
use volo_js_reactor_tests::{Subject, descriptors};

fn subject() -> Box<dyn Subject> {
    support::Inline::boxed()
}

#[test]
fn accepting_rests_without_descriptors_and_goes_on() {
    descriptors::accepting_rests_without_descriptors_and_goes_on(subject);
}
