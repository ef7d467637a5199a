/** Child processes: run to the end, or start, wait until they listen, and end. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import { root } from './paths.mjs'

/**
 * A program and its arguments.
 * @typedef {{ command: string, args: readonly string[], env?: NodeJS.ProcessEnv, cwd?: string }} Command
 */

/** A failure whose message is all there is to say: printed without a stack. */
export class Failure extends Error {
  /**
   * @param {string} message what is wrong and what to do
   * @param {{ output?: string, exitCode?: number, cause?: unknown }} [details]
   */
  constructor(message, details = {}) {
    super(message, { cause: details.cause })
    /** What the failed program printed. */
    this.output = details.output ?? ''
    /** Exit code of the script. */
    this.exitCode = details.exitCode ?? 1
  }
}

/**
 * Runs a script's main function; a {@link Failure} becomes its message and exit code.
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.output !== '') process.stderr.write(`${error.output.trimEnd()}\n`)
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exitCode
  }
}

/**
 * The full path of a program, or undefined if there is none.
 * @param {string} name
 */
export function which(name) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(directory, process.platform === 'win32' ? `${name}.exe` : name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here: the next directory may have it.
    }
  }
  return undefined
}

/**
 * npm, as the npm that runs this script where there is one.
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function npm(args) {
  const cli = process.env.npm_execpath
  if (cli?.endsWith('npm-cli.js')) return { command: process.execPath, args: [cli, ...args] }
  return { command: 'npm', args }
}

/**
 * A program of `node_modules/.bin`.
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function bin(name, args) {
  return { command: join(root, 'node_modules', '.bin', name), args }
}

/**
 * The command line of napi-rs, started in the way that works on Windows too.
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function napi(args) {
  return { command: process.execPath, args: [join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js'), ...args] }
}

/** Whether programs can be held to a CPU here: `taskset` exists and there are two CPUs to tell apart. */
export const canPin = availableParallelism() >= 2 && which('taskset') !== undefined

/**
 * The command, held to some CPUs where that is possible.
 * @param {number | string} cpus one, or a list such as `0-3,6`
 * @param {Command} command
 * @returns {Command}
 */
export function pinned(cpus, command) {
  if (!canPin) return command
  return { ...command, command: 'taskset', args: ['-c', String(cpus), command.command, ...command.args] }
}

/**
 * Runs a command to its end.
 * @param {Command} command
 * @param {{ stream?: boolean, timeout?: number, onOutput?: (chunk: string) => void }} [options]
 *   `stream`: let it write to this terminal (progress bars work) instead of gathering its output; `timeout` in ms
 * @returns {Promise<{ code: number, output: string, stdout: string }>} `code` is 1 where a signal ended it
 */
export function run(command, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command.command, command.args, {
      cwd: command.cwd ?? root,
      env: { ...process.env, ...command.env },
      stdio: options.stream ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    })
    /** @type {string[]} */
    const all = []
    /** @type {string[]} */
    const out = []
    child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      all.push(chunk)
      out.push(chunk)
      options.onOutput?.(chunk)
    })
    child.stderr?.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      all.push(chunk)
      options.onOutput?.(chunk)
    })
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      reject(
        error.code === 'ENOENT'
          ? new Failure(`${command.command} is missing. ${adviceFor(command.command)}`)
          : new Failure(`${command.command} could not be started: ${error.message}`, { cause: error }),
      )
    })
    child.on('close', (code, signal) => {
      if (signal !== null) all.push(`\n${command.command} was ended by ${signal}\n`)
      resolve({ code: code ?? 1, output: all.join(''), stdout: out.join('') })
    })
  })
}

/** @param {string} command */
function adviceFor(command) {
  if (command === 'cargo' || command === 'rustc') return 'Install Rust 1.88 or newer (https://rustup.rs) and try again.'
  if (command === 'npm') return 'Install Node 20.19 or newer with npm and try again.'
  return 'Install it and try again.'
}

/**
 * Runs a command and fails with its output if it does.
 * @param {Command} command
 * @param {Parameters<typeof run>[1]} [options]
 */
export async function must(command, options) {
  const result = await run(command, options)
  if (result.code !== 0) {
    throw new Failure(`${[command.command, ...command.args].join(' ')} failed with exit code ${result.code}.`, {
      output: result.output,
    })
  }
  return result
}

/**
 * Whether somebody accepts a connection.
 * @param {import('node:net').NetConnectOpts} address
 * @returns {Promise<boolean>}
 */
function accepts(address) {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** A server in a child process. */
export class ServerProcess {
  /** @type {import('node:child_process').ChildProcess} */
  #child
  #exited
  #output = ''

  /**
   * @param {import('node:child_process').ChildProcess} child
   */
  constructor(child) {
    this.#child = child
    this.#exited = new Promise((/** @type {(code: number) => void} */ resolve) => {
      child.on('close', (code) => resolve(code ?? 1))
    })
    /** Address from its `listening on ADDRESS` line. */
    this.address = ''
    /** Whatever stands behind the address on that line. */
    this.remark = ''
  }

  /**
   * Starts a server and waits for its `listening on ADDRESS` line.
   * @param {Command} command
   * @param {{ timeout?: number, ipc?: boolean, reach?: import('node:net').NetConnectOpts }} [options] `timeout` in ms, default a minute;
   *   `ipc`: open a message channel; `reach`: where it listens, for one that prints no such line
   * @returns {Promise<ServerProcess>}
   */
  static async start(command, options = {}) {
    const child = spawn(command.command, command.args, {
      cwd: command.cwd ?? root,
      env: { ...process.env, ...command.env },
      stdio: options.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    })
    const server = new ServerProcess(child)
    await server.#listening(command, options.timeout ?? 60_000, options.reach)
    return server
  }

  /**
   * @param {Command} command
   * @param {number} timeout
   * @param {import('node:net').NetConnectOpts} [reach]
   */
  async #listening(command, timeout, reach) {
    const name = [command.command, ...command.args].join(' ')
    let late = false
    /** @type {Promise<void>} */
    const ready = new Promise((resolve, reject) => {
      /** @param {string} chunk */
      const read = (chunk) => {
        // Kept short: a server that logs every call would fill memory here.
        this.#output = (this.#output + chunk).slice(-64 * 1024)
        const line = /listening on (\S+)(.*)\r?\n/i.exec(this.#output)
        if (this.address !== '' || line === null) return
        // One that listens on all addresses is called on this machine's own.
        this.address = line[1].replace(/^\[::\]/, '[::1]').replace(/^0\.0\.0\.0/, '127.0.0.1')
        this.remark = line[2].trim()
        resolve()
      }
      this.#child.stdout?.setEncoding('utf8').on('data', read)
      this.#child.stderr?.setEncoding('utf8').on('data', read)
      this.#child.on('error', (error) => reject(new Failure(`${name} could not be started: ${error.message}`)))
      void this.#exited.then((code) => {
        const what = late
          ? `did not listen within ${timeout / 1000} s`
          : `ended with exit code ${code} before it listened`
        reject(new Failure(`${name} ${what}.`, { output: this.#output }))
      })
    })
    const timer = setTimeout(() => {
      late = true
      this.#child.kill('SIGKILL')
    }, timeout)
    try {
      await (reach === undefined ? ready : Promise.race([ready, this.#reached(reach)]))
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Resolves when the server accepts connections; never if it has ended before.
   * @param {import('node:net').NetConnectOpts} address
   * @returns {Promise<void>}
   */
  async #reached(address) {
    while (!(await accepts(address))) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return new Promise(() => undefined)
      await sleep(20)
    }
  }

  get pid() {
    return /** @type {number} */ (this.#child.pid)
  }

  /** Its port, 0 for a Unix socket. */
  get port() {
    return Number(/:(\d+)$/.exec(this.address)?.[1] ?? 0)
  }

  /** Its host, without the brackets of IPv6. */
  get host() {
    return this.address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  }

  get output() {
    return this.#output
  }

  /** The exit code, once it has ended. */
  get exited() {
    return this.#exited
  }

  /**
   * Asks over the message channel and waits for the answer.
   * @param {unknown} question
   * @param {number} [timeout] in ms
   * @returns {Promise<unknown>}
   */
  ask(question, timeout = 5000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Failure(`The server gave no answer in ${timeout} ms.`)), timeout)
      this.#child.once('message', (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      this.#child.send(/** @type {import('node:child_process').Serializable} */ (question))
    })
  }

  /**
   * Ends it with SIGTERM, and by force if it has not drained in `grace` ms.
   * @param {number} [grace]
   * @returns {Promise<number>} its exit code
   */
  async stop(grace = 5000) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), grace)
    this.#child.kill('SIGTERM')
    const code = await this.#exited
    clearTimeout(timer)
    return code
  }
}
