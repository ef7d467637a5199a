'use strict'
// ItemService on nice-grpc, whose handlers are those that its users write.

const { HOST, from, listening, load, options } = require('./options.cjs')
const { items } = require('./items.cjs')

const given = options({ 'content-size': 'string', 'stream-items': 'string' })
const { packages } = load(given)
const { createServer } = from(given)('nice-grpc')
const { item, next, stream } = items(given)

// Methods of a service of grpc-js go by the names of the IDL.
const handlers = {
  GetItem: async (request) => ({ item: item(request.id) }),
  async *StreamItems(request) {
    for (let n = 1; n <= stream; n++) yield next(request.id, n)
  },
  async ClientStream(requests) {
    let last
    for await (const one of requests) last = one
    return { item: last }
  },
  async *BidirectionalStream(requests) {
    yield* requests
  },
}

const server = createServer()
server.add(packages.volo.example.ItemService.service, handlers)
server.listen(`${HOST}:${given.port}`).then(listening)
