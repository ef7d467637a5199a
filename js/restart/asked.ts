import type { NativeListenOptions } from '../core/addon.js'

/** The address a server was asked to listen on. */
export interface Asked {
  readonly host?: string
  readonly port?: number
  readonly path?: string
}

/** What of a server's options says where it is to listen. */
export function askedOf({ host, port, path }: NativeListenOptions): Asked {
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { path }),
  }
}

/** Names an address: the same in every isolate, and in the process before and after. */
export function nameOf({ path, host, port }: NativeListenOptions): string {
  return path === undefined ? `${host ?? ''} ${port ?? 0}` : `unix:${path}`
}

/** The port of a bound address. */
export function portOf(address: string): number {
  return Number(/\d+$/.exec(address)?.[0])
}
