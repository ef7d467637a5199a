//! What Tokio's threads do when the isolate is busy, when tapes are too small, when they have nothing to do, and when they end.

volo_js_reactor_tests::fault_tests!(volo_js_reactor_tokio::run);

#[cfg(target_os = "linux")]
volo_js_reactor_tests::sleep_tests!(volo_js_reactor_tokio::run);
