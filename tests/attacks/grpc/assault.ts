/** Runs an attack on a server while somebody else goes on calling it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { attackPython, peer, run, ServerProcess, type Command, type Result } from '../../peer-programs.js'

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** What came of an attack; see attack.py. */
export interface Outcome {
  /** The connection lived until the attack was over. */
  readonly survived?: boolean
  /** Why the attack could not go on. */
  readonly ended?: string
  /** How the connection ended: `closed` or `reset`; null if it did not. */
  readonly closed?: string | null
  /** Error code of the GOAWAY frame. */
  readonly goaway?: string | null
  /** How streams ended, counted. */
  readonly statuses?: Readonly<Record<string, number>>
  readonly connections?: number
  readonly endedByServer?: number
  readonly frames?: number
  readonly bytes?: number
  /** Bytes of the one message that were taken. */
  readonly body?: number
}

export interface Report {
  readonly outcome: Outcome
  /** What the server has printed. */
  readonly said: string
  /** Calls of somebody else that were answered meanwhile, each rightly. */
  readonly answered: number
  /** Their slowest in a hundred, in milliseconds. */
  readonly p99: number
  /** What the server's memory grew by at most, in MiB. */
  readonly growth: number
}

export interface Attack {
  readonly name: string
  readonly method?: 'GetItem' | 'StreamItems' | 'ClientStream'
  /** How long others call meanwhile. */
  readonly seconds?: number
  /** How long it lasts at most; it ends before where the server does what is expected. A busy machine may take long for that. */
  readonly limit?: number
}

/**
 * @param server a program that serves ItemService and prints where
 * @throws Error if somebody else's call failed, or was answered wrongly.
 */
export async function assault(
  { name, method = 'GetItem', seconds = 2, limit = 20 }: Attack,
  server: Command = { command: process.execPath, args: [path('server.js')] },
): Promise<Report> {
  const running = await ServerProcess.start(server)
  const to = ['--port', String(running.port)]
  const load = await peer('grpc-load')
  /** Somebody else: one call after the other, every answer compared. */
  const calls = (time: number) =>
    run(
      { ...load, args: [...to, '--seconds', String(time), '--connections', '2', '--depth', '1'] },
      { timeout: time * 1000 + 20_000 },
    )
  try {
    // Compilers warm up, pools fill: that is not what the attack costs.
    checked(await calls(0.5))
    const before = memory(running.pid)
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memory(running.pid))), 50)
    const { command, args } = await attackPython()
    const attack = [...args, path('attack.py'), name, ...to, '--seconds', String(limit)]
    const [assaulted, others] = await Promise.all([
      run(
        { command, args: [...attack, '--path', `/volo.example.ItemService/${method}`] },
        { timeout: limit * 1000 + 30_000 },
      ),
      calls(seconds),
    ])
    clearInterval(watch)
    if (assaulted.code !== 0) throw new Error(`the attack failed:\n${assaulted.output}`)
    const { replies, p99 } = checked(others)
    // And whoever comes later is served as well.
    checked(await calls(0.2))
    return {
      outcome: JSON.parse(lastLine(assaulted.stdout)) as Outcome,
      said: running.output,
      answered: replies,
      p99: p99 / 1000,
      growth: (most - before) / 1024,
    }
  } finally {
    await running.stop()
  }
}

function checked({ code, output, stdout }: Result): { readonly replies: number; readonly p99: number } {
  if (code !== 0) throw new Error(`somebody else was not served: ${output}`)
  return JSON.parse(lastLine(stdout)) as { replies: number; p99: number }
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

/** Resident memory of a process in KiB. */
function memory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}
