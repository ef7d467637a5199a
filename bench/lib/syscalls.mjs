/** System calls of another process while it works, counted by the kernel: `perf stat` slows the process little, `strace` would change what it does. */
import { must, run, which } from '../../scripts/lib/process.mjs'

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

/**
 * Counts the calls of a process for a while.
 * @param {number} pid
 * @param {number} seconds
 * @returns {Promise<Record<'main' | 'io' | 'rest', Counts>>} by what its threads are for, as in proc.mjs
 */
export async function countCalls(pid, seconds) {
  const events = [ALL, ...NAMES.map((name) => `syscalls:sys_enter_${name}`)]
  const args = ['stat', '-x', ';', '--per-thread', '-e', events.join(','), '-p', `${pid}`, '--', 'sleep', `${seconds}`]
  const { output } = await must({ command: 'perf', args }, { timeout: seconds * 1000 + 30_000 })
  return parseCounts(output, pid)
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
    const role = tid === pid ? 'main' : thread.startsWith('volo-') ? 'io' : 'rest'
    const name = event === ALL ? 'all' : event.replace('syscalls:sys_enter_', '')
    roles[role][name] = (roles[role][name] ?? 0) + Number(count)
  }
  return roles
}
