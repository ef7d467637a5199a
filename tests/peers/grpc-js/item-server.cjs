'use strict'
// ItemService on grpc-js.

const { HOST, listening, load, options } = require('./options.cjs')
const { items } = require('./items.cjs')

const given = options({ 'content-size': 'string', 'stream-items': 'string' })
const { grpc, packages } = load(given)
const { item, next, stream } = items(given)

const handlers = {
  getItem: (call, reply) => reply(null, { item: item(call.request.id) }),
  // As its documentation says: written until it is full, and again when it has drained.
  streamItems(call) {
    let n = 1
    const write = () => {
      while (n <= stream) if (!call.write(next(call.request.id, n++))) return void call.once('drain', write)
      call.end()
    }
    write()
  },
  clientStream(call, reply) {
    let last
    call.on('data', (one) => (last = one))
    call.on('end', () => reply(null, { item: last }))
  },
  bidirectionalStream: (call) => call.pipe(call),
}

const server = new grpc.Server()
server.addService(packages.volo.example.ItemService.service, handlers)
server.bindAsync(`${HOST}:${given.port}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  listening(port)
})
