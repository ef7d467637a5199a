import type { ThriftProtocol } from '../core/client-options.js'
import type { ThriftContext } from '../core/context.js'
import type { MethodDescriptor } from '../core/descriptor.js'
import { VoloError } from '../core/errors.js'
import type { Answer } from '../core/service.js'
import type { InTape } from '../core/tape/reader.js'
import type { OutTape } from '../core/tape/writer.js'

/** A call of a method that the server does not know, as it came. */
export interface RawCall {
  /** As it stands on the wire; a service's name may be in front of it. */
  readonly method: string
  /** What {@link RawCall.args} and the answer are written in. */
  readonly protocol: ThriftProtocol
  /** The struct of the arguments. */
  readonly args: Uint8Array
}

/**
 * Answers calls of methods that the server does not know: gives the struct of the result (field 0 is what the method returns), written in the
 * protocol of the call. What it throws is answered as a handler's errors are.
 */
export type UnknownMethodHandler = (call: RawCall, cx: ThriftContext) => Answer<Uint8Array>

/** Protocols by their number on the tape. */
const protocols: readonly ThriftProtocol[] = ['binary', 'compact', 'json']

/** Slots of a RAW_CALL's body. */
const Body = { PROTOCOL: 0, NAME: 1, ARGS: 2 } as const

/** What a RAW_CALL holds; its body begins at slot `p`. */
export function readRawCall(tape: InTape, p: number): RawCall {
  return {
    method: tape.string(p + Body.NAME),
    protocol: protocols[tape.i32[2 * (p + Body.PROTOCOL)]] ?? 'binary',
    args: tape.binary(p + Body.ARGS),
  }
}

/** The method of a RAW_CALL, made for it: its result is bytes, and it has no exceptions. */
export function rawMethod({ method, protocol }: RawCall, oneway: boolean): MethodDescriptor {
  return {
    name: method,
    wireName: method,
    index: 0,
    oneway,
    idempotent: false,
    annotations: {},
    readArgs: readRawCall,
    writeArgs: notWritten,
    readResult: notWritten,
    writeResult: (out: OutTape, result: unknown) => {
      if (!(result instanceof Uint8Array)) {
        throw new VoloError('INTERNAL', `the answer to '${method}' has to be the bytes of a struct, a Uint8Array`)
      }
      const p = out.alloc(2)
      out.i32[2 * p] = protocols.indexOf(protocol)
      out.i32[2 * p + 1] = 0
      out.binary(p + 1, result)
    },
    writeException: () => false,
  }
}

function notWritten(): never {
  throw new VoloError('INTERNAL', 'a server does not call')
}
