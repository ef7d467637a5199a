//! The event loop that runs on the isolate's own thread
