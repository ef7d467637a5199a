/** CPU time and memory of another process, from /proc. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

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
  // The name in brackets may hold spaces: count from behind it. utime and stime are fields 14 and 15.
  const stat = read(pid, 'stat')
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
