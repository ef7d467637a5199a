'use strict'
// Command line, library and services, the same for all programs here.

const { createRequire } = require('node:module')
const path = require('node:path')
const { parseArgs } = require('node:util')

/** All listen on and connect to this address. */
exports.HOST = '127.0.0.1'

/**
 * Reads the options every program takes, and those of `more` (names of options with a value, or `{ name: 'boolean' }`).
 * Ends the process with code 2 when one is unknown or missing.
 */
exports.options = function options(more = {}) {
  const known = { library: 'string', proto: 'string', port: 'string', ...more }
  const spec = Object.fromEntries(Object.entries(known).map(([name, type]) => [name, { type }]))
  try {
    const { values } = parseArgs({ options: spec })
    if (!values.library || !values.proto || !values.port) throw new Error('--library, --proto and --port are needed')
    return {
      ...values,
      port: number(values.port, 'port'),
      number: (name, fallback) => (values[name] === undefined ? fallback : number(values[name], name)),
    }
  } catch (error) {
    console.error(`${path.basename(process.argv[1])}: ${error.message}`)
    process.exit(2)
  }
}

function number(text, name) {
  const value = Number(text)
  if (text === '' || !(value >= 0)) throw new Error(`--${name} needs a number, not '${text}'`)
  return value
}

/** `require` as of the folder that `--library` says, where npm put the packages. */
exports.from = function from(options) {
  return createRequire(path.join(path.resolve(options.library), 'index.js'))
}

/** grpc-js, and what proto-loader finds in `--proto`. Integers of 64 bits are numbers, as its fastest users have them. */
exports.load = function load(options, conversion = { longs: Number, keepCase: false, defaults: true }) {
  const require = exports.from(options)
  const grpc = require('@grpc/grpc-js')
  const definition = require('@grpc/proto-loader').loadSync(path.resolve(options.proto), conversion)
  return { grpc, definition, packages: grpc.loadPackageDefinition(definition) }
}

/** Says where it listens, and ends at once on SIGTERM, even with connections open. */
exports.listening = function listening(port) {
  console.log(`listening on ${exports.HOST}:${port}`)
  process.on('SIGTERM', () => process.exit(0))
}
