/** Our programs and Apache's, as commands with the flags that a cell needs. */
import { createServer } from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { apachePeer, thriftTestIdl } from '../../../scripts/peers.mjs'

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('../../../scripts/lib/process.mjs').Command} Command */
/** @typedef {{ port: number } | { path: string }} Address where a server listens: a port of this machine, or a Unix socket */

const HOST = '127.0.0.1'

/** Python's programs name protocols of multiplexed services so. */
const PYTHON_MULTIPLEXED = { binary: 'multi', compact: 'multic', json: 'multij', header: 'multih' }

/**
 * @param {Command} command
 * @param {readonly string[]} args
 * @returns {Command}
 */
const plus = (command, args) => ({ ...command, args: [...command.args, ...args] })

/**
 * Flags that all programs share.
 * @param {Cell} cell
 * @param {Address} address
 */
function shared({ protocol, transport, channel }, address) {
  const place = 'path' in address ? ['--domain-socket', address.path] : ['--port', `${address.port}`]
  const secure = channel === 'TLS' ? ['--ssl'] : []
  return ['--protocol', protocol, '--transport', transport, ...place, ...secure]
}

/**
 * One of Apache's programs.
 * @param {Cell} cell
 * @param {'server' | 'client'} side
 * @param {Address} address
 */
export async function theirs(cell, side, address) {
  const command = plus(await apachePeer(cell.language, side), shared(cell, address))
  const { protocol } = cell
  const multiplexed = cell.variant === 'multiplexed'
  if (cell.language === 'python') {
    // The last one counts.
    const named = multiplexed ? ['--protocol', PYTHON_MULTIPLEXED[protocol]] : []
    return plus(command, [...named, ...(side === 'server' ? ['TSimpleServer'] : ['--host', HOST])])
  }
  if (cell.language === 'go') return plus(command, ['--host', HOST])
  const type = ['--type', multiplexed ? 'multiplex' : 'tcp']
  // Its other driver, of promises, calls fewer methods.
  return plus(command, [...type, ...(side === 'server' ? [] : ['--host', HOST, '--callback'])])
}

/**
 * One of our programs.
 * @param {Cell} cell
 * @param {'server' | 'client'} side
 * @param {Address} address port 0 for a server is any
 * @returns {Promise<Command>}
 */
export async function ours(cell, side, address) {
  const program = fileURLToPath(new URL(`${side}.js`, import.meta.url))
  const special = side === 'client' && cell.variant !== undefined ? [`--${cell.variant}`] : []
  const flags = [...shared(cell, address), ...special]
  return { command: process.execPath, args: [program, '--idl', await thriftTestIdl(), ...flags] }
}

/**
 * A port that nobody has, below those that the system gives away by itself.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    server.on('error', () => resolve(freePort()))
    server.listen(port, () => server.close(() => resolve(port)))
  })
}
