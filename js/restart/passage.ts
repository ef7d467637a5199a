import { addon, type NativePassage } from '../core/addon.js'
import type { Asked } from './asked.js'

/** What the processes of a hand-over say to each other, in this order; the old one is asked. */
export type Saying =
  /** New: hand over to me. */
  | { readonly kind: 'take'; readonly version: number }
  /** Old: not now, or not to you. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Old, with a listening socket. */
  | {
      readonly kind: 'listener'
      readonly isolate: number
      readonly name: string
      readonly address: string
      readonly asked: Asked
    }
  /** Old, with the socket on which it was asked. */
  | { readonly kind: 'door' }
  /** New: I serve on it. From here on the old one accepts nothing. */
  | { readonly kind: 'ready' }
  /** Old, with a connection, and behind the text what was read of a message that is not complete. */
  | { readonly kind: 'connection'; readonly name: string }
  /** Old: that was all. New: I have it all. */
  | { readonly kind: 'done' }

/** Processes that speak different versions refuse each other. */
export const VERSION = 1

/** Hears what the other process says. */
export interface Listener {
  heard(saying: Saying, socket: number | undefined, bytes: Uint8Array): void
  /** The other process is gone, has closed or cannot be understood: nothing more will be heard. Told once. */
  ended(reason: string | undefined): void
}

/** The way to another process, for words and sockets. */
export class Passage {
  readonly #native: NativePassage
  #open = true
  #hasEnded = false

  /** @throws Error with code ENOENT or ECONNREFUSED if nobody is there. */
  static connect(path: string, listener: Listener): Passage {
    return new Passage((onMessage) => addon().NativePassage.connect(path, onMessage), listener)
  }

  /** Goes on with who has called at the door. */
  static adopt(socket: number, listener: Listener): Passage {
    return new Passage((onMessage) => addon().NativePassage.adopt(socket, onMessage), listener)
  }

  private constructor(
    open: (onMessage: (body: Uint8Array | null, socket: number | null, reason: string | null) => void) => NativePassage,
    listener: Listener,
  ) {
    this.#native = open((body, socket, reason) => {
      if (body === null) {
        this.#end(listener, reason ?? undefined)
        return
      }
      // An error would end the process here, whatever it is doing: the other one is at fault, so only the way to it ends.
      try {
        if (this.#hasEnded) throw new Error('nothing was to come any more')
        const [saying, rest] = read(body)
        listener.heard(saying, socket ?? undefined, rest)
      } catch (error) {
        if (socket !== null) addon().closeSocket(socket)
        this.#end(listener, (error as Error).message)
        this.close()
      }
    })
  }

  #end(listener: Listener, reason: string | undefined): void {
    this.#open = false
    if (this.#hasEnded) return
    this.#hasEnded = true
    listener.ended(reason)
  }

  /** Says something; a socket that goes with it is this process's no longer. Nothing happens if the other one is gone. */
  say(saying: Saying, socket?: number, bytes: Uint8Array = new Uint8Array()): void {
    if (!this.#open) {
      if (socket !== undefined) addon().closeSocket(socket)
      return
    }
    const text = Buffer.from(JSON.stringify(saying))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    this.#native.send(Buffer.concat([length, text, bytes]), socket)
  }

  /** Closes once everything is said. */
  close(): void {
    this.#open = false
    this.#native.close()
  }
}

/**
 * What was said, and the bytes that came with it.
 * @throws Error if that is nothing a hand-over consists of.
 */
function read(body: Uint8Array): [saying: Saying, rest: Uint8Array] {
  try {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const end = 4 + bytes.readUInt32LE()
    const said = JSON.parse(bytes.toString('utf8', 4, end)) as Saying | null
    if (typeof said?.kind !== 'string') throw new TypeError('it has no kind')
    return [said, body.subarray(end)]
  } catch (cause) {
    throw new Error('it does not speak as processes that hand over do', { cause })
  }
}
