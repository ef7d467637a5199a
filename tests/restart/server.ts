/** Server processes that hand over to each other. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A path that nobody uses. */
export const freshPath = (): string => join(tmpdir(), `volo-restart-${randomUUID().slice(0, 13)}`)

/** Starts a program of this folder; its standard error is this process's. */
export function program(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const file = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  return spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
}

/** A server in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly ended: Promise<{ code: number | null; lines: readonly string[] }>
  #address = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    const tooLong = setTimeout(() => child.kill('SIGKILL'), 50_000)
    this.ended = once(child, 'close').then(([code]) => {
      clearTimeout(tooLong)
      return { code: code as number | null, lines: this.#lines }
    })
  }

  /**
   * Starts it and waits until it serves.
   * @param options.isolates How many, instead of one server.
   * @throws Error with what it printed if it ends instead.
   */
  static async start(
    address: string,
    path: string,
    options: { grace?: string; isolates?: number; startTimeout?: string; env?: Readonly<Record<string, string>> } = {},
  ): Promise<ServerProcess> {
    const { grace, isolates, startTimeout, env } = options
    const child =
      isolates === undefined
        ? program('server', [address, path, ...(grace === undefined ? [] : [grace])], env)
        : program(
            'isolates',
            [address, path, String(isolates), ...(startTimeout === undefined ? [] : [startTimeout])],
            env,
          )
    const server = new ServerProcess(child)
    await new Promise<void>((resolve, reject) => {
      if (child.stdout === null) throw new Error('the server has no standard output')
      createInterface(child.stdout).on('line', (line) => {
        server.#lines.push(line)
        if (!line.startsWith('listening ')) return
        server.#address = line.slice('listening '.length)
        resolve()
      })
      void server.ended.then(({ lines }) => {
        reject(new Error(lines.join('\n')))
      })
    })
    return server
  }

  get address(): string {
    return this.#address
  }

  get pid(): string {
    return String(this.#child.pid)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
