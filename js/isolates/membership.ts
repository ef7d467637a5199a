import type { MessagePort } from 'node:worker_threads'
import type { NativeListenOptions } from '../core/addon.js'
import type { Keeper, KeptServer } from '../core/keeper.js'
import { reportEvent } from '../core/report.js'
import type { ToIsolate, ToSupervisor } from './messages.js'
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
  readonly #servers = new Set<KeptServer>()
  #requests = 0
  #grace: number | undefined

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
    const name = nameOf(options)
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { name, resolve, reject })
      this.#port.ref()
      this.#say({ kind: 'bind', request, name, options })
    })
  }

  serving(socket: number, server: KeptServer): void {
    const name = this.#names.get(socket) ?? ''
    this.#servers.add(server)
    void server.closed.then(() => {
      this.#servers.delete(server)
    })
    this.#say({ kind: 'listening', name })
    if (this.#grace !== undefined) void this.#close(server, this.#grace)
  }

  #take(message: ToIsolate): void {
    switch (message.kind) {
      case 'bound':
        this.#settle(message.request, ({ name, resolve }) => {
          this.#names.set(message.socket, name)
          resolve(message.socket)
        })
        return
      case 'failed':
        this.#settle(message.request, ({ reject }) => {
          reject(Object.assign(new Error(message.message), { code: message.code }))
        })
        return
      case 'stats': {
        const stats = sumOf(Array.from(this.#servers, (server) => server.stats()))
        this.#say({ kind: 'stats', request: message.request, stats })
        return
      }
      case 'drain':
        this.#grace = message.grace
        void Promise.all(Array.from(this.#servers, (server) => this.#close(server, message.grace))).then(() => {
          this.#say({ kind: 'drained' })
        })
    }
  }

  #settle(request: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(request)
    if (waiting === undefined) return
    this.#waiting.delete(request)
    if (this.#waiting.size === 0) this.#port.unref()
    how(waiting)
  }

  #close(server: KeptServer, grace: number): Promise<void> {
    return server.close({ grace }).catch((error: unknown) => {
      reportEvent(2, `the server on ${server.address} could not be closed`, error)
    })
  }

  #say(message: ToSupervisor): void {
    this.#port.postMessage(message)
  }
}

/** The same address has the same name in every isolate. */
function nameOf({ path, host, port }: NativeListenOptions): string {
  return path === undefined ? `${host ?? ''} ${port ?? 0}` : `unix:${path}`
}
