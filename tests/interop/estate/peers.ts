/** Kitex and Volo, as processes. `node scripts/peers.mjs` builds what is missing. */
import { kitexPeer, peer, run, ServerProcess, type Command, type Result, type Running } from '../../peer-programs.js'

/** Milliseconds that a peer's client may take for all of its calls. */
const CLIENT_TIMEOUT = 40_000

export type PeerName = 'kitex' | 'volo'

/** How calls lie on the wire. */
export interface Form {
  /** `ttheader` has the message bare behind the header, `ttheader-framed` in a frame of its own. */
  readonly transport: 'framed' | 'ttheader' | 'ttheader-framed'
  readonly protocol: 'binary' | 'compact'
  /** Several calls at a time on one connection, answered in any order. */
  readonly mux: boolean
}

export interface Peer {
  readonly title: string
  has(form: Form): boolean
}

export const peers: Readonly<Record<PeerName, Peer>> = {
  kitex: {
    title: 'Kitex',
    // To Kitex, framed and multiplexed is with a header.
    has: ({ transport, protocol, mux }) => protocol === 'binary' && (transport !== 'framed' || !mux),
  },
  volo: { title: 'Volo in Rust', has: () => true },
}

export const peerNames = Object.keys(peers) as PeerName[]

/** Every form that a peer has. */
export function formsOf(name: PeerName): Form[] {
  return (['framed', 'ttheader', 'ttheader-framed'] as const)
    .flatMap((transport) =>
      (['binary', 'compact'] as const).flatMap((protocol) =>
        [false, true].map((mux) => ({ transport, protocol, mux })),
      ),
    )
    .filter((form) => peers[name].has(form))
}

/** Whether values, names and timeouts can travel beside a call. */
export const hasHeaders = (form: Form): boolean => form.transport !== 'framed'

/** Whether a peer can read any struct: in compact Volo cannot where one has bool fields, or fields behind a struct. */
export const readsStructs = (name: PeerName, form: Form): boolean => name !== 'volo' || form.protocol !== 'compact'

export function titleOf({ transport, protocol, mux }: Form): string {
  return `${transport}, ${protocol}${mux ? ', multiplexed' : ''}`
}

async function command(name: PeerName, side: 'server' | 'client', form: Form): Promise<Command> {
  const { transport, protocol, mux } = form
  const flags = ['--transport', transport, ...(mux ? ['--mux'] : [])]
  if (name === 'kitex') {
    const kitex = await kitexPeer(`estate-${side}`)
    return { ...kitex, args: [...kitex.args, ...flags] }
  }
  const volo = await peer('volo-fast')
  return { ...volo, args: [...volo.args, `estate-${side}`, ...flags, '--protocol', protocol] }
}

/** A peer that serves Estate and Annex on a port of its own. */
export async function startPeer(name: PeerName, form: Form): Promise<Running> {
  const { args, ...rest } = await command(name, 'server', form)
  return ServerProcess.start({ ...rest, args: [...args, '--port', '0'] })
}

/** Lets a peer make all of its checks with the server on `port` of 127.0.0.1; code 0 says that all was well. */
export async function callFrom(name: PeerName, form: Form, port: string): Promise<Result> {
  const { args, ...rest } = await command(name, 'client', form)
  const skip = readsStructs(name, form) ? [] : ['echo', 'turn']
  // A server of ours answers when the time of a call is over, and Volo's client gives it up then: which is first is a race.
  if (name === 'volo') skip.push('sleep')
  const more = skip.length === 0 ? [] : ['--skip', skip.join(',')]
  return run({ ...rest, args: [...args, '--port', port, ...more] }, { timeout: CLIENT_TIMEOUT })
}
