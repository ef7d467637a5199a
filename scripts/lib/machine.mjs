/** What the machine has left, and which failures are its fault. */
import { statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import process from 'node:process'

import { cargoTarget, root, sharedCache } from './paths.mjs'

const GIB = 1 << 30

/** Where builds and tests write. */
const PLACES = { checkout: root, target: cargoTarget, cache: sharedCache, tmp: tmpdir() }

/**
 * A folder that may not be there yet, or the one that it will be made in.
 * @param {string} folder
 * @returns {string}
 */
function present(folder) {
  const parent = dirname(folder)
  return parent === folder || statSync(folder, { throwIfNoEntry: false }) !== undefined ? folder : present(parent)
}

/**
 * Free space, one entry a disk.
 * @returns {{ places: readonly string[], free: number }[]} bytes
 */
function disks() {
  /** @type {Map<number, { places: string[], free: number }>} */
  const found = new Map()
  for (const [place, path] of Object.entries(PLACES)) {
    const folder = present(path)
    const { dev } = statSync(folder)
    const disk = found.get(dev)
    if (disk !== undefined) disk.places.push(place)
    else {
      const { bavail, bsize } = statfsSync(folder)
      found.set(dev, { places: [place], free: bavail * bsize })
    }
  }
  return [...found.values()]
}

/** @param {number} bytes */
const inGib = (bytes) => (bytes / GIB).toFixed(1)

/** Free disk and memory, for people: `79.2 GiB of disk free (checkout, target, cache, tmp), 21.9 GiB of memory`. */
export function room() {
  const free = disks().map(({ places, free }) => `${inGib(free)} GiB of disk free (${places.join(', ')})`)
  return `${free.join(', ')}, ${inGib(process.availableMemory())} GiB of memory`
}

/** The least there is on any disk that builds and tests write to, in GiB. */
export function leastRoom() {
  return Math.min(...disks().map(({ free }) => free)) / GIB
}

/** Below this much free space, in GiB, a failure may well come of it, whatever is said. */
const SHORT = 1

/**
 * What to say below the output of something that failed for want of space, or may have; nothing otherwise.
 * @param {string} output
 */
export function spaceIsShort(output) {
  const full = machineFault(output)?.bySignal === false
  return full || leastRoom() < SHORT ? `There is little space: ${room()}.` : ''
}

/** How compilers, linkers and build scripts end by a signal, as those tell that started them. What cargo says so of a test is not among them. */
const ENDS = [
  /didn't exit successfully: `(?:\S*\/cargo-miri )?\S*?\b(?<tool>rustc|clippy-driver|build-script-[\w-]+)\b[^`]*` \((?<how>signal: \d+(?:, SIG\w+)?)/,
  /linking with `(?<tool>[^`]+)` failed: (?<how>signal: \d+(?: \(SIG\w+\))?)/,
  /\b(?<tool>rustc) interrupted by (?<how>SIG\w+)/,
  // gcc, clang and Go, of what they run.
  /\bcollect2: fatal error: (?<tool>\S+) terminated with (?<how>signal \d+ \[[^\]]+\])/,
  /\bfatal error: (?<how>[\w ]+) signal terminated program (?<tool>\S+)/,
  /\b(?<tool>linker) command failed due to (?<how>signal)/,
  /\/(?<tool>compile|link|asm|cgo): (?<how>signal: [a-z ]+)/,
]

/**
 * What the machine did to a build that failed: no space, or a compiler or linker that a signal ended. Who maps a file into memory and writes to it,
 * as linkers do, learns by a signal that the disk is full.
 * @param {string} output of the build
 * @returns {{ what: string, bySignal: boolean } | undefined} nothing if the machine is not to blame
 */
export function machineFault(output) {
  if (/no space left on device|\bENOSPC\b/i.test(output)) return { what: 'no space was left', bySignal: false }
  for (const end of ENDS) {
    const { tool, how } = end.exec(output)?.groups ?? {}
    if (tool !== undefined) return { what: `${tool} was ended (${how})`, bySignal: true }
  }
  return undefined
}
