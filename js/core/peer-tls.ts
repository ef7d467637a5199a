import type { X509Certificate } from 'node:crypto'

import type { NativePeerTls } from './addon.js'

/** What TLS has agreed on with a peer. */
export interface PeerTls {
  /** `'TLSv1.3'`, `'TLSv1.2'` */
  readonly version: string
  /** Name of the cipher suite. */
  readonly cipher: string
  /** The application protocol (ALPN). */
  readonly alpn: string | undefined
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
  /** The peer's certificate, if it showed one. It has been checked against `ca`. */
  readonly certificate: X509Certificate | undefined
}

/** The same in Node's terms. */
export function peerTls(native: NativePeerTls): PeerTls {
  const { version, cipher, alpn, serverName, certificate } = native
  return {
    version,
    cipher,
    alpn,
    serverName,
    get certificate() {
      // Read where somebody asks: `node:crypto` is loaded for it.
      if (certificate === undefined) return undefined
      const { X509Certificate: Read } = process.getBuiltinModule('node:crypto')
      return new Read(certificate)
    },
  }
}
