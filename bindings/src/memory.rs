//! The tape's buffers, which JavaScript owns.

use std::{ptr, slice};

use napi::{Error, Result, sys};

/// A typed array's memory, kept alive by a reference.
struct Array {
    data: *mut u8,
    bytes: usize,
    reference: sys::napi_ref,
}

impl Array {
    const NONE: Self = Self { data: ptr::null_mut(), bytes: 0, reference: ptr::null_mut() };

    fn new(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let (mut kind, mut length, mut data, mut buffer, mut offset) =
            (0, 0usize, ptr::null_mut(), ptr::null_mut(), 0usize);
        let mut reference = ptr::null_mut();
        // SAFETY: `env` and `value` belong to the N-API call this is made from; all results point to locals.
        let ok = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut buffer,
                &raw mut offset,
            ) == sys::Status::napi_ok
                && sys::napi_create_reference(env, value, 1, &raw mut reference) == sys::Status::napi_ok
        };
        if !ok {
            return Err(Error::from_reason("the tape's buffers are typed arrays"));
        }
        let size = match kind {
            sys::TypedarrayType::bigint64_array => 8,
            sys::TypedarrayType::uint8_array => 1,
            _ => return Err(Error::from_reason("the tape is a BigInt64Array and two Uint8Arrays")),
        };
        Ok(Self { data: data.cast(), bytes: length * size, reference })
    }

    fn release(&mut self, env: sys::napi_env) {
        if !self.reference.is_null() {
            // SAFETY: the reference was made in this environment and is deleted once.
            unsafe { sys::napi_delete_reference(env, self.reference) };
        }
        *self = Self::NONE;
    }
}

/// One tape's three buffers.
pub(crate) struct Buffers {
    slots: Array,
    text: Array,
    bytes: Array,
}

impl Buffers {
    pub(crate) const NONE: Self = Self { slots: Array::NONE, text: Array::NONE, bytes: Array::NONE };

    pub(crate) fn set(
        &mut self,
        env: sys::napi_env,
        slots: sys::napi_value,
        text: sys::napi_value,
        bytes: sys::napi_value,
    ) -> Result<()> {
        let (slots, text, bytes) = (Array::new(env, slots)?, Array::new(env, text)?, Array::new(env, bytes)?);
        // `slices` relies on it.
        if !slots.data.addr().is_multiple_of(align_of::<u64>()) {
            return Err(Error::from_reason("the tape's slots are aligned to 8 bytes"));
        }
        self.release(env);
        *self = Self { slots, text, bytes };
        Ok(())
    }

    pub(crate) fn release(&mut self, env: sys::napi_env) {
        self.slots.release(env);
        self.text.release(env);
        self.bytes.release(env);
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slots.bytes / 8
    }

    /// The buffers, for as long as no JavaScript runs.
    ///
    /// # Safety
    /// The caller is on the isolate's thread and calls no JavaScript while it holds the slices; JavaScript never detaches or resizes these
    /// arrays (`js/core/tape` owns them), and the references keep them alive.
    #[allow(clippy::cast_ptr_alignment)] // checked in `set`
    pub(crate) unsafe fn slices(&mut self) -> (&mut [u64], &mut [u8], &mut [u8]) {
        if self.slots.data.is_null() {
            return (&mut [], &mut [], &mut []);
        }
        // SAFETY: as above; the slots were checked for alignment, lengths are the arrays' own, and the arrays are distinct or written by one
        // side at a time.
        unsafe {
            (
                slice::from_raw_parts_mut(self.slots.data.cast(), self.slots.bytes / 8),
                bytes_of(&self.text),
                bytes_of(&self.bytes),
            )
        }
    }
}

/// # Safety
/// See [`Buffers::slices`].
unsafe fn bytes_of<'a>(array: &Array) -> &'a mut [u8] {
    if array.data.is_null() {
        return &mut [];
    }
    // SAFETY: see the caller's contract.
    unsafe { slice::from_raw_parts_mut(array.data, array.bytes) }
}
