/** System calls of another process while it works, counted by the kernel: `perf stat` slows the process little, `strace` would change what it does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Failure, run, which } from '../../scripts/lib/process.mjs'
import { roleOf } from './proc.mjs'

/** What servers spend their calls on; others show in the sum alone. */
const NAMES = [
  'epoll_wait',
  'epoll_pwait',
  'read',
  'write',
  'recvfrom',
  'recvmsg',
  'sendto',
  'sendmsg',
  'writev',
  'futex',
  'io_uring_enter',
]

const ALL = 'raw_syscalls:sys_enter'

/**
 * Why calls cannot be counted here, or undefined if they can.
 * @returns {Promise<string | undefined>}
 */
export async function whyNoCounts() {
  if (which('perf') === undefined) return 'perf is missing (Debian: linux-perf)'
  const { code } = await run({ command: 'perf', args: ['stat', '-e', ALL, '--', 'true'] })
  return code === 0 ? undefined : 'perf may not trace system calls here: run as root, with tracefs mounted'
}

/**
 * Calls by name, and `all` of them.
 * @typedef {Record<string, number>} Counts
 */

/** Until `perf` has attached to all threads, in ms: it does not say. */
const ATTACHING = 700

/**
 * Counts the calls of a process while something is done with it.
 * @template T
 * @param {number} pid
 * @param {() => Promise<T>} work
 * @returns {Promise<{ result: T, counts: Record<'main' | 'io' | 'rest', Counts> }>} by what its threads are for, as in proc.mjs
 */
export async function countCalls(pid, work) {
  const events = [ALL, ...NAMES.map((name) => `syscalls:sys_enter_${name}`)]
  const args = ['stat', '-x', ';', '--per-thread', '-e', events.join(','), '-p', `${pid}`]
  const perf = spawn('perf', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  perf.stderr.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (output += chunk))
  const ended = once(perf, 'close')
  try {
    await Promise.race([sleep(ATTACHING), ended])
    const result = await work()
    if (perf.exitCode !== null) throw new Failure('perf stat ended before the load did.', { output })
    // It prints its counts when it is interrupted.
    perf.kill('SIGINT')
    await ended
    return { result, counts: parseCounts(output, pid) }
  } finally {
    perf.kill('SIGKILL')
  }
}

/**
 * Reads what `perf stat -x ';' --per-thread` prints.
 * @param {string} output
 * @param {number} pid
 */
export function parseCounts(output, pid) {
  /** @type {Record<'main' | 'io' | 'rest', Counts>} */
  const roles = { main: {}, io: {}, rest: {} }
  for (const line of output.split('\n')) {
    // thread-id;count;unit;event;…
    const [thread, count, , event] = line.split(';')
    const tid = Number(/-(\d+)$/.exec(thread)?.[1])
    if (event === undefined || !(Number(count) > 0)) continue
    const role = roleOf(pid, tid, thread)
    const name = event === ALL ? 'all' : event.replace('syscalls:sys_enter_', '')
    roles[role][name] = (roles[role][name] ?? 0) + Number(count)
  }
  return roles
}
