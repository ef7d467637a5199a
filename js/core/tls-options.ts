import type { Addon, NativeClientTls, NativeServerTls } from './addon.js'
import type { ParsedAddress } from './address.js'
import { VoloError } from './errors.js'

/** Certificates or a key in PEM form: its text, or the bytes of its file. */
export type Pem = string | Uint8Array

/** A certificate, followed by those that lead to its issuer, and its key. */
export interface Identity {
  readonly cert: Pem
  /** PKCS#8, PKCS#1 or SEC1, without a passphrase. */
  readonly key: Pem
}

/** TLS of a server. */
export interface ServerTlsOptions extends Identity {
  /** Other certificates for clients that ask for these names (SNI). `*.example.com` is for all names with one more part. */
  readonly byName?: Readonly<Record<string, Identity>>
  /** Who issues the certificates of clients (mutual TLS). */
  readonly ca?: Pem
  /** Whether clients show a certificate of {@link ca}. Default `'required'` where `ca` is given, otherwise `'none'`. */
  readonly clientCertificate?: 'none' | 'optional' | 'required'
}

/** TLS of a client. */
export interface ClientTlsOptions {
  /** Whom it trusts. Default: the authorities that Node trusts (`rootCertificates` of `node:tls`). */
  readonly ca?: Pem
  /** Who it is, for servers that ask (mutual TLS); with {@link key}. */
  readonly cert?: Pem
  readonly key?: Pem
  /** The name the server's certificate has to be for. Default: the host of the address. */
  readonly serverName?: string
  /** Asks nobody for a certificate that is trusted: anybody between can read and change all. For tests. Default false. */
  readonly trustAnybody?: boolean
}

function text(pem: Pem): string {
  return typeof pem === 'string' ? pem : new TextDecoder().decode(pem)
}

/** The options as the core takes them. */
export function nativeServerTls(options: ServerTlsOptions): NativeServerTls {
  const { ca, byName = {}, clientCertificate = ca === undefined ? 'none' : 'required' } = options
  const native: NativeServerTls = {
    cert: text(options.cert),
    key: text(options.key),
    clientCertificate,
    byName: Object.entries(byName).map(([name, { cert, key }]) => ({ name, cert: text(cert), key: text(key) })),
  }
  if (ca !== undefined) native.ca = text(ca)
  return native
}

/**
 * The options as the core takes them.
 * @throws VoloError INVALID_ARGUMENT if nothing says which name the server has.
 */
export function nativeClientTls(options: ClientTlsOptions, address: ParsedAddress): NativeClientTls {
  const serverName = options.serverName ?? (address.kind === 'tcp' ? address.host : undefined)
  if (serverName === undefined) {
    throw new VoloError(
      'INVALID_ARGUMENT',
      'tls: the address has no host; give serverName, the name in the certificate',
    )
  }
  const native: NativeClientTls = { serverName }
  if (options.trustAnybody !== true) native.ca = options.ca === undefined ? rootCertificates() : text(options.ca)
  if (options.cert !== undefined) native.cert = text(options.cert)
  if (options.key !== undefined) native.key = text(options.key)
  return native
}

/** Loaded where it is wanted: `node:tls` takes milliseconds. */
function rootCertificates(): string {
  return process.getBuiltinModule('node:tls').rootCertificates.join('\n')
}

/** What the core says of TLS options, as an error for who gave them; others as they are. */
export function tlsError(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message: string }
  if (code === 'ERR_TLS') return new VoloError('INVALID_ARGUMENT', `tls: ${message}`, { cause })
  if (code === 'ERR_NO_TLS') {
    return new VoloError('FAILED_PRECONDITION', `${message}; call tls(options) before it begins`, { cause })
  }
  return cause
}

/** @throws VoloError INVALID_ARGUMENT for certificates or keys that cannot be used. */
export function checkClientTls(addon: Addon, tls: NativeClientTls): void {
  try {
    addon.checkClientTls(tls)
  } catch (cause) {
    throw tlsError(cause)
  }
}
