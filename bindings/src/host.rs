//! Calls into JavaScript from the event loop.

use std::{cell::Cell, ffi::CStr, ptr};

use napi::{Error, Result, sys};
use volo_js_tape::Array;

use crate::arrays::Arrays;

/// The hooks of one isolate, and the environment they live in.
pub(crate) struct Host {
    pub env: sys::napi_env,
    context: sys::napi_async_context,
    deliver: sys::napi_ref,
    encode_text: sys::napi_ref,
    grow_in: sys::napi_ref,
    thread_failed: sys::napi_ref,
    /// Cleared when the environment ends: from then on JavaScript is never called.
    pub alive: Cell<bool>,
}

/// Runs `body` in a handle scope.
pub(crate) fn scoped<T>(env: sys::napi_env, body: impl FnOnce() -> T) -> T {
    let mut scope = ptr::null_mut();
    // SAFETY: the environment is alive and this is its thread; the scope is closed below, whatever `body` returns. A panic ends in the
    // caller's `catch_unwind`, which ends the callback and with it the scope.
    unsafe { sys::napi_open_handle_scope(env, &raw mut scope) };
    let result = body();
    // SAFETY: opened above.
    unsafe { sys::napi_close_handle_scope(env, scope) };
    result
}

impl Host {
    pub(crate) fn new(env: sys::napi_env, hooks: sys::napi_value) -> Result<Self> {
        let mut context = ptr::null_mut();
        let (mut name, mut resource) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: called from an N-API call of this environment; results point to locals.
        let ok = unsafe {
            sys::napi_get_named_property(env, hooks, c"resource".as_ptr(), &raw mut resource) == sys::Status::napi_ok
                && sys::napi_create_string_utf8(env, c"volo-js".as_ptr(), 7, &raw mut name) == sys::Status::napi_ok
                && sys::napi_async_init(env, resource, name, &raw mut context) == sys::Status::napi_ok
        };
        if !ok {
            return Err(Error::from_reason("cannot make an async context"));
        }
        Ok(Self {
            env,
            context,
            deliver: hook(env, hooks, c"deliver")?,
            encode_text: hook(env, hooks, c"encodeText")?,
            grow_in: hook(env, hooks, c"growIn")?,
            thread_failed: hook(env, hooks, c"threadFailed")?,
            alive: Cell::new(true),
        })
    }

    /// Hands the batch over, with what its binaries are views of, and the microtasks and ticks that follow from it.
    pub(crate) fn deliver(&self, arrays: &Arrays, viewed: &[Array]) {
        if !self.alive.get() {
            return;
        }
        scoped(self.env, || {
            let (mut function, mut global, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
            // SAFETY: the environment is alive, this is its thread, and nothing of the core is borrowed (see `Core::turn`).
            let status = unsafe {
                sys::napi_get_reference_value(self.env, self.deliver, &raw mut function);
                sys::napi_get_global(self.env, &raw mut global);
                let viewed = arrays.show(viewed);
                let count = usize::from(!viewed.is_null());
                sys::napi_make_callback(
                    self.env,
                    self.context,
                    global,
                    function,
                    count,
                    &raw const viewed,
                    &raw mut result,
                )
            };
            self.after(status);
        });
    }

    /// Asks for the rope to be encoded.
    pub(crate) fn encode_text(&self) {
        self.call(self.encode_text, &[]);
    }

    /// Asks for a larger in tape.
    pub(crate) fn grow_in(&self, slots: usize, text: usize, bytes: usize) {
        // Beyond 4 Gi nothing fits a tape, whose offsets have 31 bits.
        self.call(self.grow_in, &[slots, text, bytes].map(|size| u32::try_from(size).unwrap_or(u32::MAX)));
    }

    /// Tells that an I/O thread is lost.
    pub(crate) fn thread_failed(&self) {
        self.call(self.thread_failed, &[]);
    }

    fn call(&self, hook: sys::napi_ref, sizes: &[u32]) {
        if !self.alive.get() {
            return;
        }
        scoped(self.env, || {
            let (mut function, mut global, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
            let mut arguments = [ptr::null_mut(); 3];
            // SAFETY: the environment is alive, this is its thread, and nothing of the core is borrowed (see `Core::turn`).
            let status = unsafe {
                for (size, argument) in sizes.iter().zip(&mut arguments) {
                    sys::napi_create_uint32(self.env, *size, argument);
                }
                sys::napi_get_reference_value(self.env, hook, &raw mut function);
                sys::napi_get_global(self.env, &raw mut global);
                sys::napi_call_function(self.env, global, function, sizes.len(), arguments.as_ptr(), &raw mut result)
            };
            self.after(status);
        });
    }

    /// An exception that got out belongs to the user: it ends as it would in Node, and is never left pending, for then every later call would
    /// fail and the server fall silent.
    fn after(&self, status: sys::napi_status) {
        if status == sys::Status::napi_ok {
            return;
        }
        let (mut pending, mut exception) = (false, ptr::null_mut());
        // SAFETY: the environment is alive and this is its thread. While a worker is terminated there is no exception to take, or taking it
        // fails; both leave nothing to report.
        unsafe {
            sys::napi_is_exception_pending(self.env, &raw mut pending);
            if pending && sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) == sys::Status::napi_ok {
                sys::napi_fatal_exception(self.env, exception);
            }
        }
    }

    /// Reports a defect of the core the way an uncaught error is reported.
    pub(crate) fn fatal(&self, message: &str) {
        if !self.alive.get() {
            return;
        }
        scoped(self.env, || {
            let (mut text, mut error) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: the environment is alive, this is its thread, and nothing of the core is borrowed (see `Core::turn`).
            unsafe {
                sys::napi_create_string_utf8(
                    self.env,
                    message.as_ptr().cast(),
                    message.len().cast_signed(),
                    &raw mut text,
                );
                if sys::napi_create_error(self.env, ptr::null_mut(), text, &raw mut error) == sys::Status::napi_ok {
                    sys::napi_fatal_exception(self.env, error);
                }
            }
        });
    }

    /// Lets go of everything in the environment; it must still be there.
    pub(crate) fn release(&self) {
        self.alive.set(false);
        // SAFETY: made in `new`, released once: the caller drops this afterwards.
        unsafe {
            sys::napi_delete_reference(self.env, self.deliver);
            sys::napi_delete_reference(self.env, self.encode_text);
            sys::napi_delete_reference(self.env, self.grow_in);
            sys::napi_delete_reference(self.env, self.thread_failed);
            sys::napi_async_destroy(self.env, self.context);
        }
    }
}

fn hook(env: sys::napi_env, hooks: sys::napi_value, name: &CStr) -> Result<sys::napi_ref> {
    let (mut function, mut reference, mut kind) = (ptr::null_mut(), ptr::null_mut(), 0);
    // SAFETY: called from an N-API call of this environment; results point to locals.
    let ok = unsafe {
        sys::napi_get_named_property(env, hooks, name.as_ptr(), &raw mut function) == sys::Status::napi_ok
            && sys::napi_typeof(env, function, &raw mut kind) == sys::Status::napi_ok
            && kind == sys::ValueType::napi_function
            && sys::napi_create_reference(env, function, 1, &raw mut reference) == sys::Status::napi_ok
    };
    if ok {
        Ok(reference)
    } else {
        Err(Error::from_reason(format!("the core needs a hook {}", name.to_string_lossy())))
    }
}
