import { existsSync } from 'node:fs'
import { inspect } from 'node:util'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'

import { addon, type NativeListenOptions } from '../core/addon.js'
import { VoloError } from '../core/errors.js'
import { noServerStats, type ServerStats } from '../core/stats.js'
import type { Connection, IsolateData, ToIsolate, ToSupervisor } from './messages.js'
import type { Settings } from './options.js'

/**
 * What a thread begins with. From the compiled modules and from this package's own bundle it is at the same place; a bundle of the user's has
 * neither a place of its own (CommonJS) nor this file beside it.
 * @throws VoloError FAILED_PRECONDITION if it is not there.
 */
function main(): URL {
  const here: string | undefined = import.meta.url
  const found = URL.canParse('../isolates/isolate-main.js', here) && new URL('../isolates/isolate-main.js', here)
  if (found && existsSync(found)) return found
  throw new VoloError(
    'FAILED_PRECONDITION',
    "runIsolates starts threads from volo-js's own files, which are not beside this bundle; leave volo-js out of it (esbuild --packages=external)",
  )
}

/** How long a thread may go on after its servers have closed; then it is terminated. */
const LINGER = 1000
/** How long to wait for the counters of an isolate whose thread is busy. */
const STATS = 1000

/** How the thread of an isolate ended. */
export interface Ended {
  readonly code: number
  /** What ended it, if that was an error. */
  readonly error: unknown
}

/** What an isolate needs from its supervisor. */
export interface Patron {
  /** A socket that listens, by its name. */
  bind(name: string, options: NativeListenOptions): number
  /** A server has closed of itself: its socket is not needed any more. */
  unbind(name: string): void
  /** A server serves on a socket. */
  serves(name: string): void
  /** A connection is to go on elsewhere. */
  pass(connection: Connection): void
}

/** The thread of one isolate, from its start to its end. */
export class IsolateThread {
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<Ended>
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #listening = new Set<string>()
  readonly #index: number
  /** Sockets of connections that are on their way to it. */
  readonly #coming = new Set<number>()
  #onListening: (() => void) | undefined
  #onDrained: (() => void) | undefined
  readonly #asked = new Map<number, (stats: ServerStats) => void>()
  #requests = 0
  #lastStats = noServerStats

  constructor(url: URL, index: number, settings: Settings, patron: Patron) {
    const { port1, port2 } = new MessageChannel()
    const { env, argv, execArgv, resourceLimits, workerData } = settings.options
    this.#index = index
    this.#port = port1
    const data: IsolateData = { url: url.href, port: port2, workerData }
    this.#worker = new Worker(main(), {
      name: `isolate ${index}`,
      workerData: data,
      transferList: [port2],
      ...(env === undefined ? {} : { env }),
      ...(argv === undefined ? {} : { argv: [...argv] }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    })
    port1.on('message', (message: ToSupervisor) => {
      this.#take(message, patron)
    })
    this.ended = new Promise((resolve) => {
      let error: unknown
      this.#worker.on('error', (thrown) => (error = thrown))
      this.#worker.on('exit', (code) => {
        // Whether it listened does not matter any more: who waits for that is told of the end.
        this.#onListening = undefined
        // What it said last may not have been heard yet: connections it let go, above all.
        for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1)) {
          this.#take(last.message as ToSupervisor, patron)
        }
        port1.close()
        for (const socket of this.#coming) addon().closeSocket(socket)
        resolve({ code, error })
      })
    })
  }

  /** The thread's id, as `node:worker_threads` has it. */
  get threadId(): number {
    return this.#worker.threadId
  }

  /** Names of the sockets it serves on. */
  get names(): readonly string[] {
    return [...this.#listening]
  }

  /**
   * Waits until it serves on all of these sockets; on any, if there are none.
   * @throws VoloError UNAVAILABLE if it ends before, or takes longer than `timeout` milliseconds.
   */
  async listening(names: readonly string[], timeout: number): Promise<void> {
    const isThere = () => this.#listening.size > 0 && names.every((name) => this.#listening.has(name))
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const look = () => {
          if (isThere()) resolve()
        }
        this.#onListening = look
        look()
        timer = setTimeout(() => {
          const message = `isolate ${this.#index} did not listen within ${timeout} ms; look for what its module waits for, or raise startTimeout`
          reject(new VoloError('UNAVAILABLE', message))
        }, timeout)
        void this.ended.then(({ code, error }) => {
          const message = `isolate ${this.#index} ended before it listened, with ${endOf({ code, error })}`
          reject(new VoloError('UNAVAILABLE', message, { cause: error }))
        })
      })
    } finally {
      clearTimeout(timer)
      this.#onListening = undefined
    }
  }

  /**
   * Closes its servers and waits for its end. Calls may go on for `grace` milliseconds; a thread that something else keeps going is
   * terminated then.
   * @param handOver Connections are passed on, instead of closed, as they come to rest.
   */
  async drain(grace: number, handOver: boolean): Promise<void> {
    const drained = new Promise<void>((resolve) => (this.#onDrained = resolve))
    this.#say({ kind: 'drain', grace, handOver })
    const closed = await within(grace + LINGER, Promise.race([drained, this.ended]))
    if (closed) await within(LINGER, this.ended)
    await this.terminate()
  }

  /** Lets it go on with a connection. */
  adopt(connection: Connection): void {
    this.#coming.add(connection.socket)
    this.#say(connection)
  }

  /** Its counters; the last known ones if it does not answer in time. */
  async stats(): Promise<ServerStats> {
    const request = ++this.#requests
    const answered = new Promise<void>((resolve) => {
      this.#asked.set(request, (stats) => {
        this.#lastStats = stats
        resolve()
      })
    })
    this.#say({ kind: 'stats', request })
    await within(STATS, Promise.race([answered, this.ended]))
    this.#asked.delete(request)
    return this.#lastStats
  }

  /** Ends it at once, whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
    await this.ended
  }

  #take(message: ToSupervisor, patron: Patron): void {
    switch (message.kind) {
      case 'bind':
        try {
          const socket = patron.bind(message.name, message.options)
          this.#say({ kind: 'bound', request: message.request, socket })
        } catch (error) {
          const { message: text, code } = error as NodeJS.ErrnoException
          this.#say({ kind: 'failed', request: message.request, message: text, code })
        }
        return
      case 'listening':
        this.#listening.add(message.name)
        patron.serves(message.name)
        this.#onListening?.()
        return
      case 'closing':
        this.#listening.delete(message.name)
        patron.unbind(message.name)
        return
      case 'connection':
        this.#coming.delete(message.socket)
        patron.pass(message)
        return
      case 'adopted':
        this.#coming.delete(message.socket)
        return
      case 'stats':
        this.#asked.get(message.request)?.(message.stats)
        return
      case 'drained':
        this.#onDrained?.()
    }
  }

  #say(message: ToIsolate): void {
    this.#port.postMessage(message)
  }
}

/** How a thread ended, in words. */
export function endOf({ code, error }: Ended): string {
  if (error === undefined) return `code ${code}`
  return error instanceof Error ? error.message : inspect(error)
}

/** Waits for a promise that never rejects, for so many milliseconds at most; false if that was too short. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
