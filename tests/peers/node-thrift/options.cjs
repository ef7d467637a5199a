'use strict'
// Command line, transports and generated code, the same for all programs here.

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
  const known = { generated: 'string', port: 'string', transport: 'string', protocol: 'string', ...more }
  const spec = Object.fromEntries(Object.entries(known).map(([name, type]) => [name, { type }]))
  try {
    const { values } = parseArgs({ options: spec })
    if (!values.generated || !values.port) throw new Error('--generated and --port are needed')
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

/** The library and the generated modules, found where `--generated` says. */
exports.load = function load(options) {
  const from = createRequire(path.join(path.resolve(options.generated), 'index.js'))
  const thrift = from('thrift')
  const transports = { framed: thrift.TFramedTransport, buffered: thrift.TBufferedTransport }
  const transport = transports[options.transport ?? 'framed']
  if (!transport) {
    console.error(`--transport is framed or buffered, not '${options.transport}'`)
    process.exit(2)
  }
  const protocols = { binary: thrift.TBinaryProtocol, compact: thrift.TCompactProtocol }
  const protocol = protocols[options.protocol ?? 'binary']
  if (!protocol) {
    console.error(`--protocol is binary or compact, not '${options.protocol}'`)
    process.exit(2)
  }
  return {
    thrift,
    Int64: from('node-int64'),
    generated: (name) => from(`./${name}.js`),
    wire: { transport, protocol },
  }
}

/** Listens, says where, and ends at once on SIGTERM, even with connections open. */
exports.listen = function listen(server, port) {
  // Replies go out one by one; without this the second of two pipelined ones would wait for the first's ACK.
  server.on('connection', (socket) => socket.setNoDelay(true))
  server.on('error', (error) => {
    if (error.syscall === 'listen') throw error
    // What one peer did to its connection is not the server's end, but somebody should see it.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') console.error(error)
  })
  server.listen(port, exports.HOST, () => {
    const { address, port } = server.address()
    console.log(`listening on ${address}:${port}`)
  })
  process.on('SIGTERM', () => process.exit(0))
}
