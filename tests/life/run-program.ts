/** Runs a program of this folder in a process of its own and tells how it ended. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** @param flags for Node itself. */
export function runProgram(
  name: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<Outcome> {
  const file = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [...flags, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 40_000)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(tooLong)
      resolve({ code, signal, stdout, stderr })
    })
  })
}
