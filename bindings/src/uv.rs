//! libuv, looked up at run time: where it is not there (another JavaScript runtime), loading still works and using it says so.

use std::{
    ffi::{CStr, c_int, c_uint, c_void},
    mem,
    sync::OnceLock,
};

/// A handle: memory libuv owns between `init` and the close callback. Its size is checked against libuv's own.
#[repr(C, align(16))]
pub(crate) struct Handle([u8; SIZE]);

const SIZE: usize = 512;

impl Handle {
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self([0; SIZE]))
    }
}

pub(crate) type Loop = *mut c_void;
/// SAFETY of both: libuv calls them on the loop's thread, with the handle they were started for.
pub(crate) type Callback = unsafe extern "C" fn(*mut Handle);
#[cfg(unix)]
pub(crate) type PollCallback = unsafe extern "C" fn(*mut Handle, c_int, c_int);

#[cfg(unix)]
pub(crate) const READABLE: c_int = 1;

macro_rules! libuv {
    ($($(#[$condition:meta])? $name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of libuv that the core uses.
        ///
        /// # Safety
        /// On the loop's own thread, with handles that were initialised and not closed.
        pub(crate) struct Uv {
            $($(#[$condition])? pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Uv {
            fn load() -> Option<Self> {
                Some(Self {
                    $($(#[$condition])? $name: {
                        let address = symbol(concat!("uv_", stringify!($name), "\0"))?;
                        // SAFETY: libuv's ABI is stable within a major version, and the type is the one its documentation gives.
                        unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(address) }
                    },)*
                })
            }
        }
    };
}

libuv! {
    async_init: fn(Loop, *mut Handle, Callback) -> c_int;
    async_send: fn(*mut Handle) -> c_int;
    #[cfg(unix)]
    poll_init: fn(Loop, *mut Handle, c_int) -> c_int;
    #[cfg(unix)]
    poll_start: fn(*mut Handle, c_int, PollCallback) -> c_int;
    prepare_init: fn(Loop, *mut Handle) -> c_int;
    prepare_start: fn(*mut Handle, Callback) -> c_int;
    idle_init: fn(Loop, *mut Handle) -> c_int;
    idle_start: fn(*mut Handle, Callback) -> c_int;
    idle_stop: fn(*mut Handle) -> c_int;
    timer_init: fn(Loop, *mut Handle) -> c_int;
    timer_start: fn(*mut Handle, Callback, u64, u64) -> c_int;
    timer_stop: fn(*mut Handle) -> c_int;
    handle_set_data: fn(*mut Handle, *mut c_void);
    handle_get_data: fn(*const Handle) -> *mut c_void;
    handle_size: fn(c_uint) -> usize;
    close: fn(*mut Handle, Callback);
    r#ref: fn(*mut Handle);
    unref: fn(*mut Handle);
}

fn symbol(name: &str) -> Option<*mut c_void> {
    let name = name.replace("r#", "");
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    find(name)
}

#[cfg(unix)]
fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a look-up of a name in what is loaded already.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

/// Node's program file exports libuv itself.
#[cfg(windows)]
fn find(name: &CStr) -> Option<*mut c_void> {
    let program = libloading::os::windows::Library::this().ok()?;
    // SAFETY: a look-up of a name; the address is used as long as the process lives, and so is its program.
    let symbol = unsafe { program.get::<*mut c_void>(name.to_bytes_with_nul()) }.ok()?;
    Some(symbol.as_raw_ptr())
}

/// libuv, if this runtime has it and its handles fit.
pub(crate) fn uv() -> Option<&'static Uv> {
    static UV: OnceLock<Option<Uv>> = OnceLock::new();
    UV.get_or_init(|| {
        let uv = Uv::load()?;
        // uv_handle_type: async 1, idle 6, poll 8, prepare 9, timer 13.
        // SAFETY: asks for a size, whatever the number.
        let fits = [1, 6, 8, 9, 13].into_iter().all(|kind| unsafe { (uv.handle_size)(kind) } <= SIZE);
        fits.then_some(uv)
    })
    .as_ref()
}
