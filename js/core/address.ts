import { VoloError } from './errors.js'

/**
 * Where a server listens, or a client connects: `'[::1]:8080'`, `'127.0.0.1:0'`, `'localhost:8080'`, `':8080'` (every
 * interface to listen on, this machine to connect to), `'unix:/run/item.sock'`, `'memory:item'` (inside this isolate, no socket),
 * or an object.
 */
export type Address =
  string | { readonly host?: string; readonly port: number } | { readonly path: string } | { readonly memory: string }

/** An address taken apart. `host` may be a name still. */
export type ParsedAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'memory'; readonly memory: string }

/** What the core takes: no names. */
export type NativeAddress =
  { readonly host: string; readonly port: number } | { readonly path: string } | { readonly memory: string }

/**
 * Takes an address apart.
 * @param anyHost What stands for a missing host.
 * @throws VoloError INVALID_ARGUMENT that shows the forms there are.
 */
export function parseAddress(address: Address, anyHost: string): ParsedAddress {
  if (typeof address !== 'string') {
    if ('path' in address) return { kind: 'unix', path: address.path }
    if ('memory' in address) return { kind: 'memory', memory: address.memory }
    return { kind: 'tcp', host: address.host ?? anyHost, port: checkPort(address.port, String(address.port)) }
  }
  if (address.startsWith('unix:') && address.length > 5) return { kind: 'unix', path: address.slice(5) }
  if (address.startsWith('memory:') && address.length > 7) return { kind: 'memory', memory: address.slice(7) }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address)
  if (match === null) throw invalid(address, 'is no address')
  const bracketed: string | undefined = match[1]
  if (bracketed !== undefined && !isIpv6(bracketed)) {
    throw invalid(address, 'has something in brackets that is no IPv6 address')
  }
  const host = bracketed ?? match[2]
  return { kind: 'tcp', host: host === '' ? anyHost : host, port: checkPort(Number(match[3]), address) }
}

/** True if there is no name to look up. */
export function isResolved(address: ParsedAddress): boolean {
  return address.kind !== 'tcp' || isIpv6(address.host) || /^[\d.]+$/.test(address.host)
}

/** Tells it from a name, which has no colon; whether it is right the core finds out. `node:net` would take milliseconds to load. */
function isIpv6(host: string): boolean {
  return /^[\da-fA-F.]*:[\da-fA-F:.]*(?:%.+)?$/.test(host)
}

/** An address that has no name in it, as the core takes it. */
export function nativeAddress(address: ParsedAddress): NativeAddress {
  if (address.kind === 'unix') return { path: address.path }
  if (address.kind === 'memory') return { memory: address.memory }
  return { host: address.host, port: address.port }
}

/**
 * Looks the host up where it is a name; the first address counts.
 * @throws VoloError UNAVAILABLE if the name has no address.
 */
export async function resolveAddress(address: ParsedAddress): Promise<ParsedAddress> {
  if (address.kind !== 'tcp' || isResolved(address)) return address
  // Loaded when a name is looked up: most servers have none, and start sooner.
  const { lookup } = await import('node:dns/promises')
  try {
    const found = await lookup(address.host)
    return { kind: 'tcp', host: found.address, port: address.port }
  } catch (cause) {
    throw new VoloError(
      'UNAVAILABLE',
      `the name '${address.host}' has no address (${(cause as Error).message}); check its spelling and the resolver of this machine`,
      { cause },
    )
  }
}

/** An address as people write it. */
export function formatAddress(address: ParsedAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  if (address.kind === 'memory') return `memory:${address.memory}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

function checkPort(port: number, address: string): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw invalid(address, 'has a port that is not between 0 and 65535')
}

function invalid(address: string, what: string): VoloError {
  return new VoloError(
    'INVALID_ARGUMENT',
    `'${address}' ${what}; write '127.0.0.1:8080', '[::1]:8080', 'localhost:8080', ':8080', 'unix:/path' or 'memory:name'`,
  )
}
