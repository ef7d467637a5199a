/** Messages as bytes, without a server or a client. */
import { addon, type NativeMessageCodec } from '../core/addon.js'
import type { MessageDescriptor, Program } from '../core/descriptor.js'
import { VoloError } from '../core/errors.js'
import { HEADER_SLOTS, IN_START, Kind } from '../core/tape/layout.js'
import { InTape } from '../core/tape/reader.js'
import { OutTape } from '../core/tape/writer.js'

const codecs = new WeakMap<Program, NativeMessageCodec>()

/** Tapes of their own: those of servers and clients may be in use. */
let input: InTape | undefined
let output: OutTape | undefined

/** What a tape grows by when a message does not fit. */
const GROWTH = 4

/**
 * The bytes of a message.
 * @throws TapeTypeError, TapeRangeError naming the path of a value that the IDL does not allow; VoloError INVALID_ARGUMENT if it cannot be
 *   written, for want of a required field for example.
 */
export function toBinary<Message, Init>(message: MessageDescriptor<Message, Init>, value: Init): Uint8Array {
  const out = (output ??= new OutTape(() => undefined))
  out.open(Kind.STREAM_MESSAGE, 0, 0, 0, 0)
  try {
    const base = message.write(out, value)
    out.close()
    out.encodeText()
    return bytesOf(codecOf(message.program).encode(message.index, base, ...out.buffers))
  } catch (error) {
    out.rollback()
    throw typed(error)
  } finally {
    out.taken()
  }
}

/**
 * Reads a message.
 * @throws VoloError INVALID_ARGUMENT if the bytes are no such message.
 */
export function fromBinary<Message, Init>(message: MessageDescriptor<Message, Init>, bytes: Uint8Array): Message {
  let tape = (input ??= InTape.create())
  for (;;) {
    try {
      const base = codecOf(message.program).decode(message.index, bytes, ...tape.buffers)
      tape.open()
      tape.begin(IN_START)
      return message.read(tape, base)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_TAPE_FULL') throw typed(error)
      // For this message only: the standing one stays.
      const [slots, text, room] = tape.buffers
      tape = InTape.create({
        slots: slots.length * GROWTH,
        text: text.length,
        bytes: Math.max(room.length, bytes.length + HEADER_SLOTS),
      })
    }
  }
}

function codecOf(program: Program): NativeMessageCodec {
  let codec = codecs.get(program)
  if (codec === undefined) {
    codec = new (addon().MessageCodec)(program.schema)
    codecs.set(program, codec)
  }
  return codec
}

/** A plain view: a Buffer's slice is another thing. */
function bytesOf(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function typed(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === 'ERR_INVALID_ARG_VALUE' && typeof message === 'string'
    ? new VoloError('INVALID_ARGUMENT', message, { cause: error })
    : error
}
