/** The examples, as commands. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { root } from './paths.mjs'
import { Failure } from './process.mjs'

const folder = join(root, 'examples')

/** Names of the examples: programs of `examples/`, without their extension. */
export function exampleNames() {
  return [
    ...new Set(
      readdirSync(folder)
        .filter((name) => /\.(ts|mjs)$/.test(name) && !name.endsWith('.d.ts'))
        .map((name) => name.replace(/\.\w+$/, '')),
    ),
  ].sort()
}

/**
 * The command that runs an example. Examples take `--port`; runtime and threads go through the variables that override them for operators.
 * @param {string} name
 * @param {{ port?: number, runtime?: string, threads?: number, nodeArgs?: readonly string[] }} [options]
 * @returns {import('./process.mjs').Command}
 * @throws {Failure} with the names there are, if there is no such example
 */
export function exampleCommand(name, options = {}) {
  if (!exampleNames().includes(name)) {
    throw new Failure(`There is no example ${name}; there are ${exampleNames().join(', ')}.`, { exitCode: 2 })
  }
  const compiled = join(folder, `${name}.js`)
  const program = existsSync(compiled) ? compiled : join(folder, `${name}.mjs`)
  const { port, runtime, threads } = options
  return {
    command: process.execPath,
    args: [
      '--enable-source-maps',
      ...(options.nodeArgs ?? []),
      program,
      ...(port === undefined ? [] : ['--port', `${port}`]),
    ],
    env: {
      ...(runtime === undefined ? {} : { VOLO_RUNTIME: runtime }),
      ...(threads === undefined ? {} : { VOLO_THREADS: `${threads}` }),
    },
  }
}
