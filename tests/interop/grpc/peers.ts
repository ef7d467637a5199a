/** The other implementations of gRPC, as processes. `node scripts/peers.mjs` builds what is missing. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import {
  grpcGoPeer,
  grpcJsPeer,
  peer,
  run,
  ServerProcess,
  type Command,
  type Result,
  type Running,
} from '../../peer-programs.js'

/** Milliseconds that a peer's client may take. */
const TIMEOUT = 40_000

/** How the two ends are joined. */
export interface Channel {
  readonly name: string
  /** Flags of the official client. */
  readonly goClient: readonly string[]
  /** Flags of the official server. */
  readonly goServer: readonly string[]
  /** Flags of the programs on grpc-js. */
  readonly jsClient: readonly string[]
  readonly jsServer: readonly string[]
  /** Are connections encrypted? */
  readonly isSecure: boolean
}

/** A file of the certificates that the tests of TLS use. */
const certificate = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))

/** Our server's, and the authority that our clients trust, where a channel is secure. */
export const serverTls = {
  cert: readFileSync(certificate('server')),
  key: readFileSync(fileURLToPath(new URL('../../fixtures/tls/server.key', import.meta.url))),
}
export const clientTls = { ca: readFileSync(certificate('ca')) }

/** All the tests of calls run over each of these. */
export const channels: readonly Channel[] = [
  { name: 'plain', goClient: [], goServer: [], jsClient: [], jsServer: [], isSecure: false },
  {
    name: 'TLS',
    goClient: ['--use_tls', '--use_test_ca', '--ca_file', certificate('ca')],
    goServer: [
      ...['--use_tls', '--tls_cert_file', certificate('server')],
      ...['--tls_key_file', certificate('server').replace('.pem', '.key')],
    ],
    jsClient: ['--ca', certificate('ca')],
    jsServer: ['--cert', certificate('server'), '--key', certificate('server').replace('.pem', '.key')],
    isSecure: true,
  },
]

/** Cases that every client here has, by their official names. */
export const caseNames = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'custom_metadata',
  'status_code_and_message',
  'special_status_message',
  'unimplemented_method',
  'unimplemented_service',
] as const

/** Cases of the client that compresses what it sends. */
export const compressedCases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'custom_metadata',
  'status_code_and_message',
] as const

const plus = (command: Command, ...args: string[]): Command => ({ ...command, args: [...command.args, ...args] })

/** Runs a program of a peer to its end. */
const runs = async (command: Promise<Command>, ...args: string[]): Promise<Result> =>
  run(plus(await command, ...args), { timeout: TIMEOUT })

/** One case of the official client against a server on `port`; code 0 says that all was well. */
export const goClient = (port: string, name: string, channel: Channel): Promise<Result> =>
  runs(
    grpcGoPeer('interop-client'),
    ...['--server_host', '127.0.0.1', '--server_port', port, '--test_case', name],
    // Of the soak tests: that calls are answered is asked here, not how soon on a busy machine.
    ...['--soak_per_iteration_max_acceptable_latency_ms', '60000', '--soak_overall_timeout_seconds', '60'],
    ...channel.goClient,
  )

/** The same with every request compressed. */
export const compressedGoClient = (port: string, name: string, compression: 'gzip' | 'zstd'): Promise<Result> =>
  runs(grpcGoPeer('compressed-client'), '--server_port', port, '--test_case', name, '--compression', compression)

/** Calls a server and checks that its error has every kind of detail. */
export const goErrorDetailsClient = (port: string): Promise<Result> =>
  runs(grpcGoPeer('error-details'), '--server_port', port)

/** A server whose errors have every kind of detail. */
export const goErrorDetailsServer = async (): Promise<Running> =>
  ServerProcess.start(plus(await grpcGoPeer('error-details'), '--port', '0'))

/** One case of grpc-js's client. */
export const jsClient = (port: string, name: string, ...more: string[]): Promise<Result> =>
  runs(grpcJsPeer('interop-client'), '--port', port, '--case', name, ...more)

/** The official server. */
export async function goServer(channel: Channel): Promise<Running> {
  const command = plus(await grpcGoPeer('interop-server'), '--port', '0', ...channel.goServer)
  return ServerProcess.start({ ...command, env: { GRPC_GO_LOG_SEVERITY_LEVEL: 'info' } })
}

/** A server of grpc-go that knows gzip and zstd. */
export const compressedGoServer = async (): Promise<Running> =>
  ServerProcess.start(plus(await grpcGoPeer('compressed-server'), '--port', '0'))

/** An ItemService of grpc-go, with its own flags. */
export const goItemServer = async (...args: string[]): Promise<Running> =>
  ServerProcess.start(plus(await grpcGoPeer('item-server'), ...args))

/** A client of grpc-go that has no call for a while and sends PINGs meanwhile; prints the states of its connection. */
export const goKeepaliveClient = (port: string, idle: string): Promise<Result> =>
  grpcGoPeer('keepalive-client').then((command) =>
    run(plus(command, '--server_port', port, '--idle', idle), { timeout: 90_000 }),
  )

export const jsServer = async (channel: Channel): Promise<Running> =>
  ServerProcess.start(plus(await grpcJsPeer('interop-server'), '--port', '0', ...channel.jsServer))

export const grpcurl = (...args: string[]): Promise<Result> => runs(peer('grpcurl'), ...args)
export const ghz = (...args: string[]): Promise<Result> => runs(peer('ghz'), ...args)
export const h2spec = (...args: string[]): Promise<Result> => runs(peer('h2spec'), ...args)
