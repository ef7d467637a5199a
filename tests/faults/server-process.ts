/** A server in a process of its own, which can be starved, stopped and killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { ServerOptions, ServerStats } from 'volo-js/thrift'

export interface ServerProcessOptions {
  /** What it serves: Everything of Thrift (`server`, the default), or gRPC's TestService. */
  readonly program?: 'server' | 'grpc-server'
  /** Options of the server; those that are functions cannot be passed to a process. */
  readonly server?: ServerOptions
  /** Limits as the shell's `ulimit` takes them, such as `-n 64`. */
  readonly limits?: readonly string[]
  /** Where its standard error goes, as the shell takes it behind `2>`; what it writes is gathered where nothing is said. */
  readonly stderr?: string
  readonly env?: Readonly<Record<string, string>>
  /** For Node itself. */
  readonly flags?: readonly string[]
}

/** What the process tells of itself. */
export interface Report {
  readonly stats: ServerStats
  /** Resident memory in MiB. */
  readonly rss: number
}

export class ServerProcess {
  readonly child: ChildProcess
  readonly address: string
  readonly #stderr: string[]
  /** Rejects when it has ended. */
  readonly #ended: Promise<never>

  private constructor(child: ChildProcess, address: string, stderr: string[], ended: Promise<never>) {
    this.child = child
    this.address = address
    this.#stderr = stderr
    this.#ended = ended
  }

  static async start(t: ExecutionContext, options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const file = fileURLToPath(new URL(`./programs/${options.program ?? 'server'}.js`, import.meta.url))
    const limits = (options.limits ?? []).map((limit) => `ulimit ${limit} && `).join('')
    const stderr = options.stderr === undefined ? '' : ` 2>${options.stderr}`
    const child = spawn(
      'sh',
      ['-c', `${limits}exec "$0" "$@"${stderr}`, process.execPath, ...(options.flags ?? []), file],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: { ...process.env, ...options.env },
      },
    )
    t.teardown(() => child.kill('SIGKILL'))
    const lines: string[] = []
    child.stderr!.on('data', (data: Buffer) => lines.push(data.toString()))
    child.send(options.server ?? {})
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the server has ended: ${code ?? signal}\n${lines.join('')}`)
    })
    // It is an error only for those who wait for something else.
    ended.catch(() => undefined)
    const [address] = (await Promise.race([once(child, 'message'), ended])) as [string]
    return new ServerProcess(child, address, lines, ended)
  }

  /** What it has written to standard error. */
  get stderr(): string {
    return this.#stderr.join('')
  }

  /** Ends when the process has; how it did is the message of an error. */
  get ended(): Promise<never> {
    return this.#ended
  }

  /** Asks the process; it answers from its event loop, so a late answer says that the loop is busy. */
  async report(): Promise<Report> {
    this.child.send('report')
    const [stats] = (await Promise.race([once(this.child, 'message'), this.#ended])) as [ServerStats]
    // Not by the process itself: it may not have a descriptor left to look with.
    const pages = Number(readFileSync(`/proc/${this.child.pid}/statm`, 'utf8').split(' ')[1])
    return { stats, rss: pages / 256 }
  }

  /** Ends it in order; its exit code, or the signal that ended it. */
  async stop(): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM')
      await once(this.child, 'exit')
    }
    return this.child.exitCode ?? this.child.signalCode!
  }
}

/** Waits until what the process tells is so; the last report where it never is. */
export async function untilReport(
  server: ServerProcess,
  what: string,
  is: (report: Report) => boolean,
): Promise<Report> {
  for (let tries = 0; ; tries += 1) {
    const report = await server.report()
    if (is(report)) return report
    if (tries === 1500) throw new Error(`waited in vain until ${what}: ${JSON.stringify(report)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
