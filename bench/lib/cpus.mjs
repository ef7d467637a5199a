/** Lists of CPUs, as `taskset` and the kernel write them: `0-3,6`. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

import { canPin, Failure } from '../../scripts/lib/process.mjs'

/**
 * The CPUs of a list, in order, each once.
 * @param {string} list
 * @returns {number[] | undefined} nothing if it is no list
 */
export function parseCpus(list) {
  const cpus = new Set()
  for (const part of list.split(',')) {
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim())
    if (range === null) return undefined
    const first = Number(range[1])
    const last = Number(range[2] ?? range[1])
    if (last < first) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu)
  }
  return [...cpus].sort((a, b) => a - b)
}

/** The CPUs that this process may use. */
export function allowedCpus() {
  try {
    const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    const cpus = list === undefined ? undefined : parseCpus(list)
    if (cpus !== undefined) return cpus
  } catch {
    // Not Linux: the numbers of as many as there are.
  }
  return Array.from({ length: availableParallelism() }, (_, cpu) => cpu)
}

/**
 * The CPUs that an option names, checked: this process may use all of them.
 * @param {string} option
 * @param {string} list
 * @returns {number[]}
 */
export function chosenCpus(option, list) {
  const cpus = parseCpus(list)
  if (cpus === undefined) throw new Failure(`--${option} takes CPUs such as 0-3 or 0,2, not ${list}.`, { exitCode: 2 })
  const allowed = allowedCpus()
  const missing = cpus.filter((cpu) => !allowed.includes(cpu))
  if (missing.length > 0) {
    throw new Failure(`--${option} ${list}: there is no CPU ${missing.join(', ')}; there are ${allowed.join(', ')}.`, {
      exitCode: 2,
    })
  }
  if (!canPin) throw new Failure(`--${option} needs taskset (Debian: util-linux) and two CPUs.`, { exitCode: 2 })
  return cpus
}

/**
 * A placement of servers and of load.
 * @typedef {object} Placement
 * @property {number[]} server
 * @property {number[]} load
 */

/**
 * Both lists, where they are given; it is an error to give one without the other, or one CPU to both.
 * @param {string | undefined} server
 * @param {string | undefined} load
 * @returns {Placement | undefined}
 */
export function placement(server, load) {
  if (server === undefined && load === undefined) return undefined
  if (server === undefined || load === undefined) {
    throw new Failure('--server-cpus and --load-cpus go together.', { exitCode: 2 })
  }
  const chosen = { server: chosenCpus('server-cpus', server), load: chosenCpus('load-cpus', load) }
  const both = chosen.server.filter((cpu) => chosen.load.includes(cpu))
  if (both.length > 0) {
    throw new Failure(`CPU ${both.join(', ')} is among --server-cpus and --load-cpus: load would slow the servers.`, {
      exitCode: 2,
    })
  }
  return chosen
}
