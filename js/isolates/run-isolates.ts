import { pathToFileURL } from 'node:url'

import { milliseconds } from '../core/duration.js'
import { closeOnSignal } from '../core/run.js'
import type { CloseOptions } from '../core/server-handle.js'
import type { ServerStats } from '../core/stats.js'
import type { Connection } from './messages.js'
import { settingsOf, type IsolatesOptions, type Settings } from './options.js'
import { Place, type IsolateStats } from './place.js'
import { Sockets } from './sockets.js'
import { Succession } from './succession.js'
import { sumOf } from './sum.js'

/** Counters of all isolates, added up, and of each. Those of an isolate begin anew with each of its threads. */
export interface IsolatesStats extends ServerStats {
  readonly isolates: readonly IsolateStats[]
}

/** The isolates that run. */
export class IsolatesHandle implements AsyncDisposable {
  /** Resolves when all are closed, whoever closed them. */
  readonly closed: Promise<void>
  readonly #settings: Settings
  readonly #places: readonly Place[]
  readonly #sockets: Sockets
  readonly #succession: Succession | undefined
  #resolveClosed!: () => void
  #closing = false
  /** Reloads follow one another. */
  #reloads: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(settings: Settings, places: readonly Place[], sockets: Sockets, succession: Succession | undefined) {
    this.#settings = settings
    this.#places = places
    this.#sockets = sockets
    this.#succession = succession
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    succession?.succeed(places, (give) => this.#handOver(give))
  }

  /** The addresses they listen on, with the real ports: each as often as a server asked for another one. */
  get addresses(): readonly string[] {
    return this.#sockets.addresses
  }

  /** Counters at this moment. An isolate that is too busy to answer within a second counts with what it said last. */
  async stats(): Promise<IsolatesStats> {
    const isolates = await Promise.all(this.#places.map((place) => place.stats()))
    const sum = sumOf(
      isolates.map(({ isolate: _isolate, state: _state, threadId: _id, restarts: _restarts, ...stats }) => stats),
    )
    return { ...sum, isolates }
  }

  /**
   * Replaces the isolates one after another: each successor serves before its predecessor drains. Reads the module anew.
   * @throws VoloError UNAVAILABLE if a successor does not come to listen: it and those behind it are not replaced, and serve on.
   */
  reload(): Promise<void> {
    const reload = this.#reloads.then(async () => {
      for (const place of this.#places) await place.replace()
    })
    this.#reloads = reload.catch(() => undefined)
    return reload
  }

  /** Stops accepting in all isolates, lets calls in flight finish, ends the threads. */
  close(options: CloseOptions = {}): Promise<void> {
    const grace = options.grace === undefined ? this.#settings.grace : milliseconds(options.grace, 'grace')
    if (!this.#closing) {
      this.#closing = true
      this.#succession?.close()
      // The isolates have duplicates: they serve who has connected already, and nobody can connect after them.
      this.#sockets.close()
      void Promise.all(this.#places.map((place) => place.close(grace))).then(async () => {
        // Who took over meanwhile is told that nothing more comes.
        await this.#succession?.finish()
        this.#resolveClosed()
      })
    }
    return this.closed
  }

  /** Everything goes on in another process. */
  async #handOver(give: (connection: Connection) => void): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const grace = this.#settings.handover?.grace ?? this.#settings.grace
    await Promise.all(this.#places.map((place) => place.handOver(grace, give)))
    this.#sockets.close()
    await this.#succession?.finish()
    this.#resolveClosed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * Runs a module in several isolates, one thread each. The module listens as it would alone (`Server.of(…).run(':8080')`); each isolate
 * gets a socket of its own on that port, and the kernel spreads connections over them. Port 0 is one port for all. What dies is started
 * again, with growing waits, without end.
 *
 * @param url The module: a file URL, or a path.
 * @returns once all of them listen.
 * @throws VoloError UNAVAILABLE if the module does not come to listen in one of them, with its error as the cause; INVALID_ARGUMENT for
 *   an option that makes no sense.
 *
 * @example
 * await using isolates = await runIsolates(new URL('./server.js', import.meta.url), { count: 'cores' })
 * await isolates.closed
 */
export async function runIsolates(url: URL | string, options: IsolatesOptions = {}): Promise<IsolatesHandle> {
  const settings = settingsOf(options)
  const module = typeof url !== 'string' ? url : /^[a-z]+:\/\//i.test(url) ? new URL(url) : pathToFileURL(url)
  const sockets = new Sockets()
  const places: Place[] = []
  const neighbours = {
    othersListen: (place: Place) => places.some((other) => other !== place && other.state === 'listening'),
    pass: (connection: Connection, except: Place) =>
      places.some((other) => other !== except && other.adopt(connection)),
  }
  for (let index = 0; index < settings.count; index += 1) {
    places.push(new Place(index, module, settings, sockets, neighbours))
  }
  const { handover } = settings
  const succession = handover === undefined ? undefined : await Succession.begin(handover.path, sockets)
  let handle: IsolatesHandle
  try {
    await Promise.all(places.map((place) => place.begin()))
    await succession?.check(settings.startTimeout)
    handle = new IsolatesHandle(settings, places, sockets, succession)
  } catch (error) {
    succession?.leave()
    sockets.close()
    // Connections of the sockets that the running process shares may have come to those that serve already.
    const grace = succession?.isPreceded === true ? settings.grace : 0
    await Promise.all(places.map((place) => place.close(grace)))
    throw error
  }
  if (options.signals !== false) {
    const stop = closeOnSignal(handle)
    void handle.closed.then(stop)
  }
  return handle
}
