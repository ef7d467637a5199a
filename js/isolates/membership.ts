import type { MessagePort } from 'node:worker_threads'
import type { NativeListenOptions } from '../core/addon.js'
import type { Custody, Keeper, KeptServer } from '../core/keeper.js'
import { reportEvent } from '../core/report.js'
import { noServerStats } from '../core/stats.js'
import { nameOf } from '../restart/asked.js'
import type { Connection, ToIsolate, ToSupervisor } from './messages.js'
import { sumOf } from './sum.js'

interface Waiting {
  readonly name: string
  readonly resolve: (socket: number) => void
  readonly reject: (error: Error) => void
}

/** An isolate's side of its supervisor: sockets come from there, and the servers here do as it says. */
export class Membership implements Keeper {
  readonly #port: MessagePort
  readonly #waiting = new Map<number, Waiting>()
  /** Names of sockets that servers are about to serve on. */
  readonly #names = new Map<number, string>()
  /** Servers, and the names of their sockets. */
  readonly #servers = new Map<KeptServer, string>()
  /** Names that servers here have asked for or serve on. */
  readonly #taken = new Set<string>()
  #requests = 0
  #drain: { readonly grace: number; readonly handOver: boolean } | undefined

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: ToIsolate) => {
      this.#take(message)
    })
    // What keeps the isolate alive is its servers.
    port.unref()
  }

  bind(options: NativeListenOptions): Promise<number> {
    const request = ++this.#requests
    const name = this.#nameFor(options)
    if (this.#taken.has(name)) {
      const error = new Error('another server of this isolate has this address (EADDRINUSE)')
      return Promise.reject(Object.assign(error, { code: 'EADDRINUSE' }))
    }
    this.#taken.add(name)
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { name, resolve, reject })
      this.#port.ref()
      this.#say({ kind: 'bind', request, name, options })
    })
  }

  serving(socket: number, server: KeptServer): Custody {
    const name = this.#names.get(socket) ?? ''
    this.#servers.set(server, name)
    this.#taken.add(name)
    this.#say({ kind: 'listening', name })
    // Asked to close before it listened.
    if (this.#drain !== undefined) queueMicrotask(() => void this.#close(server, name))
    return {
      closing: () => {
        // Another server may take the address from now on.
        this.#taken.delete(name)
        this.#say({ kind: 'closing', name })
      },
      closed: () => {
        this.#servers.delete(server)
      },
    }
  }

  #take(message: ToIsolate): void {
    switch (message.kind) {
      case 'bound':
        this.#settle(message.request, ({ name, resolve }) => {
          this.#names.set(message.socket, name)
          // Until it serves; if it cannot, the address is free.
          this.#taken.delete(name)
          resolve(message.socket)
        })
        return
      case 'failed':
        this.#settle(message.request, ({ name, reject }) => {
          this.#taken.delete(name)
          reject(Object.assign(new Error(message.message), { code: message.code }))
        })
        return
      case 'stats': {
        const all = Array.from(this.#servers.keys(), (server) => server.stats())
        // The pools are the isolate's, whichever server tells of them.
        const { pools } = all.at(0) ?? noServerStats
        this.#say({ kind: 'stats', request: message.request, stats: { ...sumOf(all), pools } })
        return
      }
      case 'drain':
        this.#drain = message
        void Promise.all(Array.from(this.#servers, ([server, name]) => this.#close(server, name))).then(() => {
          this.#say({ kind: 'drained' })
        })
        return
      case 'connection':
        this.#adopt(message)
    }
  }

  /** With port 0 each server gets a port of its own: the second of an isolate the second of all, and so on. */
  #nameFor(options: NativeListenOptions): string {
    const name = nameOf(options)
    if (options.path !== undefined || (options.port ?? 0) !== 0) return name
    let ordinal = 1
    const numbered = () => (ordinal === 1 ? name : `${name}#${ordinal}`)
    while (this.#taken.has(numbered())) ordinal += 1
    return numbered()
  }

  #settle(request: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(request)
    if (waiting === undefined) return
    this.#waiting.delete(request)
    if (this.#waiting.size === 0) this.#port.unref()
    how(waiting)
  }

  async #close(server: KeptServer, name: string): Promise<void> {
    const { grace, handOver } = this.#drain ?? { grace: 0, handOver: false }
    try {
      if (!handOver) return await server.close({ grace })
      await server.handOver(grace, (socket, unread) => {
        this.#say({ kind: 'connection', name, socket, unread })
      })
    } catch (error) {
      reportEvent(2, `the server on ${server.address} could not be closed`, error)
    }
  }

  #adopt(connection: Connection): void {
    const { name, socket, unread } = connection
    try {
      for (const [server, other] of this.#servers) {
        if (other === name && server.adopt(socket, unread)) {
          this.#say({ kind: 'adopted', socket })
          return
        }
      }
    } catch (error) {
      reportEvent(2, `a connection was lost on its way to the server on ${name}`, error)
      this.#say({ kind: 'adopted', socket })
      return
    }
    // Nobody here serves on that address any more: somebody else may.
    this.#say(connection)
  }

  #say(message: ToSupervisor): void {
    this.#port.postMessage(message)
  }
}
