//! Messages to bytes and back without a server or a client: `toBinary` and `fromBinary`.

use std::cell::RefCell;

use bytes::BytesMut;
use napi::{
    Env, Error, JsValue, Result,
    bindgen_prelude::{Buffer, Unknown},
};
use napi_derive::napi;
use volo_js_protobuf::{DecodeError, Limits, Program, Sizes, decode_message, encode_message};
use volo_js_schema::Schema;
use volo_js_tape::{Header, InState, InTape, Kind, OutTape};

use crate::{core::coded, memory::Buffers, runtimes::invalid};

/// The tape's buffers are too small for the message.
const FULL: &str = "ERR_TAPE_FULL";

/// The messages of one schema. See `MessageCodec` in `js/core/addon.ts`.
#[napi]
pub struct MessageCodec {
    program: Program,
    messages: u32,
    sizes: RefCell<Sizes>,
}

#[napi]
impl MessageCodec {
    /// Compiles a schema.
    #[napi(constructor)]
    pub fn new(json: String) -> Result<Self> {
        let wrong = |error: String| invalid(format!("the schema is not valid: {error}"));
        let schema = Schema::from_json(&json).map_err(|error| wrong(error.to_string()))?;
        let program = Program::compile(&schema).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { program, messages: schema.structs.len() as u32, sizes: RefCell::default() })
    }

    /// The bytes of the message with this index whose struct lies at `base` of an out tape.
    #[napi]
    pub fn encode(
        &self,
        env: Env,
        index: u32,
        base: u32,
        slots: Unknown,
        text: Unknown,
        bytes: Unknown,
    ) -> Result<Buffer, String> {
        let mut out = BytesMut::new();
        let mut sizes = self.sizes.borrow_mut();
        borrow(env, slots, text, bytes, |slots, text, bytes| {
            let tape = OutTape::new(slots, text, bytes);
            encode_message(&self.program, self.known(index)?, &tape, base as usize, &mut sizes, &mut out)
                .map_err(|error| coded("ERR_INVALID_ARG_VALUE", error.to_string()))
        })?;
        Ok(Buffer::from(Vec::from(out)))
    }

    /// Lays a message onto an in tape, alone. The base of its struct.
    #[napi]
    pub fn decode(
        &self,
        env: Env,
        index: u32,
        message: &[u8],
        slots: Unknown,
        text: Unknown,
        bytes: Unknown,
    ) -> Result<u32, String> {
        let index = self.known(index)?;
        borrow(env, slots, text, bytes, |slots, text, bytes| {
            let mut state = InState::new();
            let mut tape = InTape::new(slots, text, bytes, &mut state);
            let header = Header { kind: Kind::StreamMessage, call: 0, generation: 0, method: 0, owner: 0 };
            let full = || coded(FULL, "the tape is too small");
            let mut to = tape.begin(&header, usize::MAX).map_err(|_| full())?;
            match decode_message(&self.program, index, message, &Limits::default(), &mut to) {
                Ok(base) => {
                    to.commit();
                    Ok(base as u32)
                }
                Err(DecodeError::Full(_)) => Err(full()),
                Err(error) => Err(coded("ERR_INVALID_ARG_VALUE", error.to_string())),
            }
        })
    }
}

impl MessageCodec {
    fn known(&self, index: u32) -> Result<u32, String> {
        if index < self.messages { Ok(index) } else { Err(coded("ERR_INVALID_ARG_VALUE", "no such message")) }
    }
}

/// The memory of a tape's three buffers.
fn borrow<T>(
    env: Env,
    slots: Unknown,
    text: Unknown,
    bytes: Unknown,
    work: impl FnOnce(&mut [u64], &mut [u8], &mut [u8]) -> Result<T, String>,
) -> Result<T, String> {
    let mut buffers = Buffers::NONE;
    buffers
        .set(env.raw(), slots.raw(), text.raw(), bytes.raw())
        .map_err(|error: Error| coded("ERR_INVALID_ARG_TYPE", error.reason.clone()))?;
    // SAFETY: the slices live in this block, which calls no JavaScript.
    let (slots, text, bytes) = unsafe { buffers.slices() };
    let done = work(slots, text, bytes);
    buffers.release(env.raw());
    done
}
