/** Programs of this folder, each in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Running {
  readonly address: string
  readonly child: ChildProcess
  /** How it ended, and what it printed. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; lines: readonly string[] }>
}

/** Starts a program and waits for its line `listening ADDRESS`. */
export async function start(name: string, ...args: readonly string[]): Promise<Running> {
  const file = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 50_000)
  const lines: string[] = []
  const ended = once(child, 'close').then(([code, signal]) => {
    clearTimeout(tooLong)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, lines }
  })
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('listening ')) resolve(line.slice('listening '.length))
    })
    void ended.then(() => {
      reject(new Error(`${name} ended before it listened: ${lines.join('\n')}`))
    })
  })
  return { address, child, ended }
}
