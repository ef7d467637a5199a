/** Where and with what something was measured: figures without that say nothing. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

import { root } from '../../scripts/lib/paths.mjs'
import { canPin } from '../../scripts/lib/process.mjs'

/**
 * First line of a program's output, or undefined where it cannot be run.
 * @param {string} command
 * @param {readonly string[]} args
 */
function firstLine(command, args) {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0]
  } catch {
    // A result without this version is still a result.
    return undefined
  }
}

/** Machine, versions, date. */
export function describeMachine() {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    date: new Date().toISOString(),
    commit: firstLine('git', ['rev-parse', '--short', 'HEAD']),
    changed: (firstLine('git', ['status', '--porcelain']) ?? '') !== '',
    voloJs: version,
    node: process.version,
    v8: process.versions.v8,
    rust: firstLine('rustc', ['--version']),
    os: `${process.platform} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: availableParallelism(),
    memory: totalmem(),
    pinned: canPin,
  }
}
