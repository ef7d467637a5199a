import { addon } from '../core/addon.js'
import { reportEvent } from '../core/report.js'
import { noServerStats, type ServerStats } from '../core/stats.js'
import { Backoff } from './backoff.js'
import { endOf, IsolateThread, type Ended } from './isolate-thread.js'
import type { Connection } from './messages.js'
import type { IsolateEvent, Settings } from './options.js'
import type { Sockets } from './sockets.js'

/** An isolate that is away for so many milliseconds keeps its socket: who connects meanwhile waits a moment. Then connections are left to the others. */
const MOMENT = 150

/** What an isolate is doing: `waiting` is the time between its death and its next start. */
export type IsolateState = 'starting' | 'listening' | 'waiting' | 'closing' | 'closed'

/** Counters of one isolate. */
export interface IsolateStats extends ServerStats {
  /** Which one, from 0. */
  readonly isolate: number
  readonly state: IsolateState
  /** Its thread, as `node:worker_threads` numbers them; undefined if it has none at the moment. */
  readonly threadId: number | undefined
  /** How often it died and was started again. */
  readonly restarts: number
}

/** What a place needs to know of the others. */
export interface Neighbours {
  /** Does any isolate but this one serve? */
  othersListen(place: Place): boolean
  /** Passes a connection on to an isolate that serves on its address, but not to this one; false if there is none. */
  pass(connection: Connection, except: Place): boolean
}

/** The place of one isolate: the threads that fill it come and go, its sockets stay. */
export class Place {
  readonly index: number
  state: IsolateState = 'starting'
  readonly #url: URL
  readonly #settings: Settings
  readonly #sockets: Sockets
  readonly #neighbours: Neighbours
  readonly #backoff: Backoff
  /** The one that serves here. */
  #thread: IsolateThread | undefined
  /** All that have not ended: a successor on its way and a predecessor that drains are others. */
  readonly #threads = new Set<IsolateThread>()
  /** Names of the sockets that the latest thread has asked for. */
  #bound = new Set<string>()
  #restarts = 0
  #timer: NodeJS.Timeout | undefined
  /** Runs while nobody serves here. */
  #leaving: NodeJS.Timeout | undefined
  /** A successor is being started: if the thread dies meanwhile, it fills the place. */
  #isReplacing = false
  /** Takes the connections that a place lets go which is left to another process. */
  #give: ((connection: Connection) => void) | undefined
  /** It has listened once; what dies before is not started again. */
  #hasBegun = false

  constructor(index: number, url: URL, settings: Settings, sockets: Sockets, neighbours: Neighbours) {
    this.index = index
    this.#url = url
    this.#settings = settings
    this.#sockets = sockets
    this.#neighbours = neighbours
    this.#backoff = new Backoff(settings.restart.min, settings.restart.max)
  }

  /**
   * The first start.
   * @throws VoloError UNAVAILABLE if its module does not come to listen: then it is not tried again.
   */
  async begin(): Promise<void> {
    const thread = this.#spawn()
    this.#thread = thread
    try {
      await thread.listening([], this.#settings.startTimeout)
    } catch (error) {
      this.state = 'closed'
      await thread.terminate()
      throw error
    }
    this.#hasBegun = true
    if (!this.#isClosing()) this.#serves(thread)
  }

  /**
   * Starts a successor, and lets the thread go once that one serves wherever it did.
   * @throws VoloError UNAVAILABLE if the successor does not; then everything stays as it is.
   */
  async replace(): Promise<void> {
    if (this.#isClosing()) return
    clearTimeout(this.#timer)
    this.#isReplacing = true
    const heir = this.#spawn()
    try {
      await heir.listening(this.#thread?.names ?? [], this.#settings.startTimeout)
    } catch (error) {
      await heir.terminate()
      this.#isReplacing = false
      if (!this.#isClosing()) {
        this.#tell('failed', 'error', `isolate ${this.index} was not replaced: its successor does not listen`, error)
        if (this.#thread === undefined) this.#startAgain()
      }
      throw error
    }
    this.#isReplacing = false
    if (this.#isClosing()) {
      // It drains with all the others.
      await heir.ended
      return
    }
    const before = this.#thread
    this.#thread = heir
    this.#serves(heir)
    await before?.drain(this.#settings.grace, true)
    this.#tell('replaced', 'info', `isolate ${this.index} was replaced`)
  }

  /** Ends it for good. */
  async close(grace: number): Promise<void> {
    this.#stopTimers()
    if (this.state === 'closed') return
    this.state = 'closing'
    await this.#drain(grace, false)
    this.state = 'closed'
  }

  /** Ends it for good; its connections go on in another process. */
  async handOver(grace: number, give: (connection: Connection) => void): Promise<void> {
    this.#stopTimers()
    if (this.#isClosing()) return
    this.state = 'closing'
    this.#give = give
    await this.#drain(grace, true)
    this.state = 'closed'
  }

  /** Its counters at this moment. */
  async stats(): Promise<IsolateStats> {
    const thread = this.#thread
    const stats = thread === undefined ? noServerStats : await thread.stats()
    return { ...stats, isolate: this.index, state: this.state, threadId: thread?.threadId, restarts: this.#restarts }
  }

  /** Lets its isolate go on with a connection; false if it does not serve on that address. */
  adopt(connection: Connection): boolean {
    if (this.state !== 'listening' || this.#thread?.names.includes(connection.name) !== true) return false
    this.#thread.adopt(connection)
    return true
  }

  #spawn(): IsolateThread {
    const bound = (this.#bound = new Set<string>())
    const thread: IsolateThread = new IsolateThread(this.#url, this.index, this.#settings, {
      bind: (name, options) => {
        bound.add(name)
        return this.#sockets.bind(this.index, name, options)
      },
      unbind: (name) => {
        this.#sockets.unbind(this.index, name)
      },
      serves: (name) => {
        this.#sockets.serves(name)
      },
      pass: (connection) => {
        // To its successor, if it has one.
        if (this.#give !== undefined) this.#give(connection)
        else if (this.#thread !== thread && this.adopt(connection)) return
        else this.#passOn(connection)
      },
    })
    this.#threads.add(thread)
    thread.ended
      .then((end) => {
        this.#threads.delete(thread)
        this.#ended(thread, end)
      })
      .catch((error: unknown) => {
        reportEvent(2, `isolate ${this.index} ended, and could not be followed by another`, error)
      })
    return thread
  }

  async #drain(grace: number, handOver: boolean): Promise<void> {
    await Promise.all(Array.from(this.#threads, (thread) => thread.drain(grace, handOver)))
  }

  #passOn(connection: Connection): void {
    if (!this.#neighbours.pass(connection, this)) addon().closeSocket(connection.socket)
  }

  #serves(thread: IsolateThread): void {
    clearInterval(this.#leaving)
    this.state = 'listening'
    this.#tell('listening', 'info', `isolate ${this.index} listens`)
    const timer = setTimeout(() => {
      this.#backoff.reset()
    }, this.#settings.restart.soundAfter)
    timer.unref()
    void thread.ended.then(() => {
      clearTimeout(timer)
    })
  }

  #ended(thread: IsolateThread, end: Ended): void {
    if (thread !== this.#thread || this.#isClosing() || !this.#hasBegun) return
    this.#thread = undefined
    this.#tell('died', 'error', `isolate ${this.index} died: ${endOf(end)}`, end.error)
    this.#leave()
    if (this.#isReplacing) this.state = 'starting'
    else this.#startAgain()
  }

  /** Leaves new connections to the others, once that takes longer than a moment and there are others. */
  #leave(): void {
    clearInterval(this.#leaving)
    this.#leaving = setInterval(() => {
      if (this.#neighbours.othersListen(this)) this.#release()
    }, MOMENT)
  }

  /** Closes the sockets that nobody here has asked for: a thread that has is about to serve on them. */
  #release(): void {
    this.#sockets.release(this.index, this.#bound, (name, socket) => {
      this.#passOn({ kind: 'connection', name, socket, unread: new Uint8Array() })
    })
  }

  #startAgain(): void {
    const delay = this.#backoff.next()
    this.state = 'waiting'
    this.#bound = new Set()
    if (delay > MOMENT && this.#neighbours.othersListen(this)) this.#release()
    if (delay > 0) this.#tell('waiting', 'warn', `isolate ${this.index} is started again in ${Math.round(delay)} ms`)
    this.#timer = setTimeout(() => {
      this.#start()
    }, delay)
  }

  #start(): void {
    const thread = this.#spawn()
    this.#thread = thread
    this.state = 'starting'
    this.#restarts += 1
    thread.listening([], this.#settings.startTimeout).then(
      () => {
        if (this.#thread === thread && this.state === 'starting') this.#serves(thread)
      },
      (error: unknown) => {
        // If it has ended, that is told already.
        if (this.#thread !== thread || this.#isClosing()) return
        this.#tell('failed', 'error', `isolate ${this.index} is stopped, for it does not listen`, error)
        void thread.terminate()
      },
    )
  }

  #stopTimers(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#leaving)
  }

  #isClosing(): boolean {
    return this.state === 'closing' || this.state === 'closed'
  }

  #tell(kind: IsolateEvent['kind'], level: IsolateEvent['level'], text: string, error?: unknown): void {
    this.#settings.onEvent({ kind, level, isolate: this.index, text, ...(error === undefined ? {} : { error }) })
  }
}
