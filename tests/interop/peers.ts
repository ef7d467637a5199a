/** The other implementations of tests/peers, as processes. `node scripts/peers.mjs` builds what is missing. */
import {
  nodeThriftPeer,
  peer,
  pythonPeer,
  run,
  ServerProcess,
  type Command,
  type Result,
  type Running,
} from '../peer-programs.js'

/** Milliseconds that a peer's client may take for all of its calls. */
const CLIENT_TIMEOUT = 50_000

/** How many random values of every type it sends. */
const ROUNDS = '25'

export type Transport = 'framed' | 'buffered'
export const transports: readonly Transport[] = ['framed', 'buffered']

/** What an implementation can echo, beside what all of them can. */
export interface Abilities {
  /** Keys of maps that are no strings or small integers. */
  readonly keys: boolean
  /** The keys `__proto__` and `hasOwnProperty`. */
  readonly proto: boolean
  /** The sign of zero. */
  readonly zero: boolean
  /** everything_uuid.thrift and everything_reserved.thrift. */
  readonly reserved: boolean
}

export const all: Abilities = { keys: true, proto: true, zero: true, reserved: true }

export const peers = {
  volo: { name: 'Volo in Rust', abilities: all },
  python: { name: 'Apache Thrift for Python', abilities: { ...all, reserved: false } },
  npm: { name: "npm's thrift", abilities: { keys: false, proto: false, zero: false, reserved: false } },
} as const satisfies Record<string, { readonly name: string; readonly abilities: Abilities }>

export type PeerName = keyof typeof peers
export const peerNames = Object.keys(peers) as PeerName[]

async function command(name: PeerName, side: 'server' | 'client'): Promise<Command> {
  const program = `everything-${side}`
  if (name === 'python') return pythonPeer(program)
  if (name === 'npm') return nodeThriftPeer(program)
  const volo = await peer('volo-fast')
  return { ...volo, args: [...volo.args, program] }
}

/** A peer that serves Everything on a port of its own. */
export async function startPeer(name: PeerName, transport: Transport): Promise<Running> {
  const { args, ...rest } = await command(name, 'server')
  // Volo finds the transport out by itself.
  const chosen = name === 'volo' ? [] : ['--transport', transport]
  return ServerProcess.start({ ...rest, args: [...args, '--port', '0', ...chosen] })
}

/** Lets a peer call every method of the server on `port` of 127.0.0.1 and compare; code 0 says that all was well. */
export async function callFrom(name: PeerName, transport: Transport, port: string): Promise<Result> {
  const { args, ...rest } = await command(name, 'client')
  return run(
    { ...rest, args: [...args, '--port', port, '--transport', transport, '--rounds', ROUNDS] },
    { timeout: CLIENT_TIMEOUT },
  )
}
