/** Flags of the two programs, named as Apache's are. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const protocols = ['binary', 'compact', 'json', 'header'] as const
export type Protocol = (typeof protocols)[number]
export const transports = ['buffered', 'framed'] as const
export type Transport = (typeof transports)[number]

export interface Arguments {
  /** Where ThriftTest.thrift is. */
  readonly idl: string
  /** Port of this machine, or path of a Unix socket. */
  readonly address: string
  readonly ssl: boolean
  readonly protocol: Protocol
  readonly transport: Transport
  /** Of clients: the service's name stands before those of its methods, and another service is called so, too. */
  readonly multiplexed: boolean
  /** Of clients: calls over THeader are compressed. */
  readonly zlib: boolean
}

/** A file of the certificates that the tests of TLS use. */
export const certificate = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url)))

export function programArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      idl: { type: 'string' },
      port: { type: 'string', default: '9090' },
      'domain-socket': { type: 'string' },
      ssl: { type: 'boolean', default: false },
      protocol: { type: 'string', default: 'binary' },
      transport: { type: 'string', default: 'buffered' },
      multiplexed: { type: 'boolean', default: false },
      zlib: { type: 'boolean', default: false },
    },
  })
  if (values.idl === undefined) throw new Error('--idl is missing: where ThriftTest.thrift is')
  const socket = values['domain-socket']
  return {
    idl: values.idl,
    address: socket === undefined ? `127.0.0.1:${values.port}` : `unix:${socket}`,
    ssl: values.ssl,
    multiplexed: values.multiplexed,
    zlib: values.zlib,
    protocol: oneOf(protocols, values.protocol),
    transport: oneOf(transports, values.transport),
  }
}

function oneOf<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((it) => it === name)
  if (found === undefined) throw new Error(`there is no ${name}; there are ${known.join(', ')}`)
  return found
}
