import { addon, type Core } from './addon.js'
import { callIsolation, type CallIsolation } from './call-isolation.js'
import { ClientCalls } from './client-calls.js'
import { ClientSlots } from './client-slots.js'
import type { Program } from './descriptor.js'
import { VoloError } from './errors.js'
import type { Owner } from './owner.js'
import { reportEvent } from './report.js'
import { GrpcClientCalls } from '../grpc/grpc-client-calls.js'
import { HEADER_SLOTS, IN_START, Kind, LAYOUT_VERSION } from './tape/layout.js'
import { InTape } from './tape/reader.js'
import { OutTape } from './tape/writer.js'

/** Milliseconds from the loss of an I/O thread to the end of the isolate. */
const LAST_WORDS = 1000

/** @throws VoloError FAILED_PRECONDITION if a program was generated for another layout of the tape. */
export function checkLayout({ layout }: Program): void {
  if (layout === LAYOUT_VERSION) return
  throw new VoloError(
    'FAILED_PRECONDITION',
    `the generated code speaks tape layout ${layout}, this volo-js ${LAYOUT_VERSION}; run \`volo build\` again`,
  )
}

/** An owner, and how many threads are still to tell its end. */
interface Place {
  readonly owner: Owner
  closing: number
}

/**
 * Everything of this isolate that the core talks to: the two tapes, the servers and clients, and the delivery that hands
 * messages to them. One an isolate, made when the first server or client is.
 */
export class Isolate {
  readonly core: Core
  readonly in: InTape
  readonly out: OutTape
  readonly slots: ClientSlots
  readonly calls: ClientCalls
  readonly grpcCalls: GrpcClientCalls
  readonly #isolation: CallIsolation = callIsolation()
  readonly #places: (Place | undefined)[] = []
  readonly #freeIds: number[] = []
  readonly #programs = new Map<string, number>()
  readonly #standing: InTape['buffers']
  readonly #handle = (p: number, size: number): void => {
    this.#message(p, size)
  }

  constructor() {
    const native = addon()
    if (native.layoutVersion() !== LAYOUT_VERSION) {
      throw new VoloError(
        'FAILED_PRECONDITION',
        `the native addon speaks tape layout ${native.layoutVersion()}, this package ${LAYOUT_VERSION}; reinstall volo-js so that both are of one version`,
      )
    }
    this.in = InTape.create()
    this.#standing = this.in.buffers
    this.out = new OutTape(
      (slots, text, bytes) => {
        this.core.setOut(slots, text, bytes)
      },
      {},
      (arrays) => {
        this.core.submitWith(arrays)
      },
    )
    this.core = new native.Core({
      resource: this.#isolation.resource,
      deliver: (arrays) => {
        this.#deliver(arrays)
      },
      encodeText: () => {
        this.out.encodeText()
      },
      growIn: (slots, text, bytes) => {
        const larger = InTape.create({ slots, text, bytes }).buffers
        this.in.adopt(...larger)
        this.core.setIn(...larger)
      },
      threadFailed: () => {
        // Whoever listens for uncaught errors is told next, and has so long to save what it can. Then this isolate ends, whatever they
        // say: calls of the lost thread are never answered, and no server or client of its can be closed.
        setTimeout(() => {
          reportEvent(2, 'an I/O thread is lost, so this isolate ends')
          process.exit(1)
        }, LAST_WORDS)
      },
    })
    this.core.setIn(...this.#standing)
    this.core.setOut(...this.out.buffers)
    this.slots = new ClientSlots(this.core)
    this.calls = new ClientCalls(this.slots, this.out)
    this.grpcCalls = new GrpcClientCalls(this.slots, this.out)
  }

  /**
   * The core's id of a program.
   * @throws VoloError FAILED_PRECONDITION if it was generated for another layout.
   */
  load(program: Program): number {
    checkLayout(program)
    let id = this.#programs.get(program.hash)
    if (id === undefined) {
      id = this.core.loadSchema(program.schema)
      this.#programs.set(program.hash, id)
    }
    return id
  }

  /** An id for a server or client that is about to be made; {@link own} or {@link release} it. */
  reserve(): number {
    return this.#freeIds.pop() ?? this.#places.push(undefined) - 1
  }

  /** Gives an id back that nobody owns. */
  release(id: number): void {
    this.#places[id] = undefined
    this.#freeIds.push(id)
  }

  /**
   * From now on messages with this id go to `owner`.
   * @param threads how many tell its end.
   */
  own(id: number, owner: Owner, threads: number): void {
    this.#places[id] = { owner, closing: threads }
  }

  #deliver(arrays: readonly Uint8Array[] | undefined): void {
    const tape = this.in
    const end = tape.open(arrays)
    let p = IN_START
    while (p < end) {
      const size = tape.i32[2 * p + 1]
      if (size < HEADER_SLOTS) {
        reportEvent(
          2,
          `the tape is damaged at slot ${p}; messages of this turn are lost. Please report this as a bug of volo-js`,
        )
        break
      }
      try {
        this.#isolation.run(this.#handle, p, size)
      } catch (error) {
        // Nothing may throw into the core. What ends here is not a handler's error: those are answered.
        reportEvent(2, 'a message of the core could not be handled', error)
      }
      p += size
    }
    tape.close()
    if (tape.i64 !== this.#standing[0]) {
      // The large tape was for one message only.
      tape.adopt(...this.#standing)
      this.core.setIn(...this.#standing)
    }
  }

  #message(p: number, size: number): void {
    const tape = this.in
    const i32 = tape.i32
    const slot = i32[2 * p + 2]
    const generation = i32[2 * p + 3]
    const owner = i32[2 * p + 5]
    switch (i32[2 * p]) {
      case Kind.CALL: {
        this.#places[owner]?.owner.serving?.accept(tape, p, size, slot, generation, i32[2 * p + 4])
        return
      }
      case Kind.RAW_CALL:
        this.#places[owner]?.owner.serving?.acceptRaw(tape, p, size, slot, generation, i32[2 * p + 4])
        return
      case Kind.REPLY:
        this.slots.find(slot, generation)?.reply?.(tape, p)
        return
      case Kind.REQUEST:
        this.#places[owner]?.owner.grpc?.request(tape, p, slot, generation, i32[2 * p + 4])
        return
      case Kind.RESPONSE:
        this.slots.find(slot, generation)?.response?.(tape, p)
        return
      case Kind.STREAM_MESSAGE: {
        const grpc = this.#places[owner]?.owner.grpc
        if (grpc === undefined) this.slots.find(slot, generation)?.message?.(tape, p)
        else grpc.message(tape, p, slot, generation)
        return
      }
      case Kind.STREAM_END: {
        const grpc = this.#places[owner]?.owner.grpc
        if (grpc === undefined) this.slots.find(slot, generation)?.finished?.(tape, p)
        else grpc.end(slot, generation)
        return
      }
      case Kind.HEADERS:
        this.slots.find(slot, generation)?.headers?.(tape, p)
        return
      case Kind.CREDIT: {
        const count = i32[2 * (p + HEADER_SLOTS)]
        const grpc = this.#places[owner]?.owner.grpc
        if (grpc === undefined) this.slots.find(slot, generation)?.credit?.(count)
        else grpc.credit(slot, generation, count)
        return
      }
      case Kind.EXCEPTION:
        tape.begin(p)
        this.slots.find(slot, generation)?.exception?.(tape, p, i32[2 * (p + HEADER_SLOTS)], text(tape, p, size))
        return
      case Kind.FAILURE: {
        tape.begin(p)
        const body = 2 * (p + HEADER_SLOTS)
        this.slots.find(slot, generation)?.failure(i32[body], i32[body + 1], text(tape, p, size))
        return
      }
      case Kind.GONE: {
        const to = this.#places[owner]?.owner
        // Calls of both protocols have their slots from one table, and generations tell them apart.
        to?.serving?.gone(slot, generation)
        to?.grpc?.gone(slot, generation)
        return
      }
      case Kind.CLOSED: {
        const place = this.#places[owner]
        if (place === undefined) return
        place.closing -= 1
        if (place.closing > 0) return
        try {
          place.owner.closed()
        } finally {
          this.core.forget(owner)
          this.release(owner)
        }
        return
      }
      case Kind.HANDED: {
        tape.begin(p)
        const body = p + HEADER_SLOTS
        this.#places[owner]?.owner.handed?.(i32[2 * body], tape.binary(body + 1))
        return
      }
      case Kind.STATE:
        this.#places[owner]?.owner.state?.(i32[2 * (p + HEADER_SLOTS)])
        return
      case Kind.EVENT: {
        tape.begin(p)
        const level = i32[2 * (p + HEADER_SLOTS)]
        const said = text(tape, p, size)
        const to = this.#places[owner]
        if (to === undefined) reportEvent(level, said)
        else to.owner.event(level, said)
        return
      }
      default:
        reportEvent(2, `the core delivered a message of unknown kind ${i32[2 * p]}; its addon is of another version`)
    }
  }
}

/** The text in the second slot of a FAILURE's, EXCEPTION's or EVENT's body. */
function text(tape: InTape, p: number, size: number): string {
  return size > HEADER_SLOTS + 1 ? tape.string(p + HEADER_SLOTS + 1) : ''
}

let current: Isolate | undefined

/** This isolate's. */
export function isolate(): Isolate {
  return (current ??= new Isolate())
}
