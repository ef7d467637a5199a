/** Programs of this folder in processes of their own, and how they end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly args?: readonly (string | number)[]
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>
  /** For Node itself. */
  readonly flags?: readonly string[]
  /** Seconds until it is killed. Default 40. */
  readonly seconds?: number
  /** With a channel for messages. */
  readonly ipc?: boolean
  /** Called with the process as soon as it has been started. */
  readonly started?: (child: ChildProcess) => void
}

/** Runs `programs/NAME.js` of this folder to its end. */
export function program(name: string, options: ProgramOptions = {}): Promise<Ending> {
  const file = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const args = [...(options.flags ?? []), file, ...(options.args ?? []).map(String)]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
  })
  options.started?.(child)
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr!.on('data', (data: Buffer) => (stderr += data.toString()))
  const tooLong = setTimeout(() => child.kill('SIGKILL'), (options.seconds ?? 40) * 1000)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(tooLong)
      resolve({ code, signal, stdout, stderr })
    })
  })
}
