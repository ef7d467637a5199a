//! A process without descriptors. It is this one's limit, so there is no other test here.
#![cfg(unix)]

use volo_js_reactor_tests::{Subject, Threads, descriptors};

fn subject() -> Box<dyn Subject> {
    Box::new(Threads::start("few", 2, volo_js_reactor_monoio::run))
}

#[test]
fn accepting_rests_without_descriptors_and_goes_on() {
    descriptors::accepting_rests_without_descriptors_and_goes_on(subject);
}
