/** Programs of tests, each in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Running {
  readonly address: string
  readonly pid: string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves once it has printed this line. */
  readonly says: (line: string) => Promise<void>
  /** How it ended, and what it printed. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; lines: readonly string[] }>
}

type Environment = Readonly<Record<string, string>>

/** Starts a program; its standard error is this process's. */
export function program(file: URL, args: readonly string[], env: Environment = {}): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
}

/**
 * Starts a program and waits for its line `listening ADDRESS`.
 * @throws Error with what it printed if it ends instead.
 */
export async function start(file: URL, args: readonly string[], env?: Environment): Promise<Running> {
  const child = program(file, args, env)
  const { stdout } = child
  if (stdout === null) throw new Error('the program has no standard output')
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 50_000)
  const lines: string[] = []
  const heard = new EventEmitter()
  const ended = once(child, 'close').then(([code, signal]) => {
    clearTimeout(tooLong)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, lines }
  })
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(stdout).on('line', (line) => {
      lines.push(line)
      heard.emit('line')
      if (line.startsWith('listening ')) resolve(line.slice('listening '.length))
    })
    void ended.then(() => {
      reject(new Error(`${file.pathname} ended before it listened: ${lines.join('\n')}`))
    })
  })
  const kill = (signal: NodeJS.Signals) => void child.kill(signal)
  const says = async (line: string) => {
    while (!lines.includes(line)) await once(heard, 'line')
  }
  return { address, pid: String(child.pid), kill, says, ended }
}
