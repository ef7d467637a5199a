/** CPU time and memory of another process, from /proc. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

import { Failure } from '../../scripts/lib/process.mjs'

/** Clock ticks a second of the times in /proc. */
const TICKS = (() => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  } catch {
    // Every Linux this runs on has 100; getconf is a package of its own on some.
    return 100
  }
})()

/** In nanoseconds, where `stat` counts clock ticks; not every kernel has it. */
const HAS_SCHEDSTAT = existsSync('/proc/self/schedstat')

/**
 * @param {number} pid
 * @param {string} file
 */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (cause) {
    throw new Failure(`/proc/${pid}/${file} cannot be read: benchmarks need Linux and the server alive.`, { cause })
  }
}

/**
 * CPU time a process has used, user and system, in µs; steps of a clock tick (10 ms).
 * @param {number} pid
 */
export function cpuTime(pid) {
  return ticksOf(read(pid, 'stat'))
}

/**
 * User and system time in µs, from a `stat` file of /proc.
 * @param {string} stat
 */
function ticksOf(stat) {
  // The name in brackets may hold spaces: count from behind it. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS
}

/**
 * Resident memory of a process in bytes.
 * @param {number} pid
 */
export function residentMemory(pid) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status'))
  return Number(line?.[1] ?? 0) * 1024
}

/**
 * What one thread has used so far.
 * @typedef {object} Thread
 * @property {string} name
 * @property {number} cpu µs
 * @property {number} waits times it gave its CPU up to wait
 * @property {number} preemptions times its CPU was taken from it
 */

/**
 * What the threads of a process used, by what they are for: `main` is the first one (JavaScript, where no isolates were asked for), `io` the threads
 * that move bytes beside an isolate, `rest` all others: isolates, the garbage collector's, the compiler's.
 * @typedef {Record<'main' | 'io' | 'rest', { cpu: number, waits: number, preemptions: number }>} ByRole
 */

/**
 * The threads of a process, by id.
 * @param {number} pid
 * @returns {Map<number, Thread>}
 */
export function threadsOf(pid) {
  /** @type {Map<number, Thread>} */
  const threads = new Map()
  for (const tid of readdirSync(`/proc/${pid}/task`).map(Number)) {
    const thread = threadOf(pid, tid)
    if (thread !== undefined) threads.set(tid, thread)
  }
  return threads
}

/**
 * @param {number} pid
 * @param {number} tid
 * @returns {Thread | undefined} nothing if it has just ended
 */
function threadOf(pid, tid) {
  const folder = `/proc/${pid}/task/${tid}`
  try {
    const status = readFileSync(`${folder}/status`, 'utf8')
    const count = (/** @type {string} */ name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return {
      name: readFileSync(`${folder}/comm`, 'utf8').trimEnd(),
      cpu: HAS_SCHEDSTAT
        ? Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1000
        : ticksOf(readFileSync(`${folder}/stat`, 'utf8')),
      waits: count('voluntary_ctxt_switches'),
      preemptions: count('nonvoluntary_ctxt_switches'),
    }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return undefined
    throw error
  }
}

/**
 * What the threads of a process used between two looks.
 * @param {number} pid
 * @param {ReadonlyMap<number, Thread>} before
 * @param {ReadonlyMap<number, Thread>} after
 * @returns {ByRole}
 */
export function difference(pid, before, after) {
  const nothing = () => ({ cpu: 0, waits: 0, preemptions: 0 })
  const roles = { main: nothing(), io: nothing(), rest: nothing() }
  for (const [tid, thread] of after) {
    const role = roles[roleOf(pid, tid, thread.name)]
    const earlier = before.get(tid)
    for (const key of /** @type {const} */ (['cpu', 'waits', 'preemptions'])) {
      role[key] += thread[key] - (earlier?.[key] ?? 0)
    }
  }
  return roles
}

/**
 * What a thread is for.
 * @param {number} pid
 * @param {number} tid
 * @param {string} name begins with the thread's
 * @returns {keyof ByRole}
 */
export function roleOf(pid, tid, name) {
  if (tid === pid) return 'main'
  return name.startsWith('volo-') ? 'io' : 'rest'
}
