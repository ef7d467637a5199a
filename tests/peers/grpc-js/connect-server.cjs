'use strict'
// ItemService on connect-node, over HTTP/2 without TLS, with the messages of protobuf-es.

const http2 = require('node:http2')
const { HOST, from, listening, options } = require('./options.cjs')
const { items } = require('./items.cjs')
const { registry } = require('./registry.cjs')

const given = options({ 'content-size': 'string', 'stream-items': 'string' })
const { item, next, stream } = items(given)
const library = from(given)
const { connectNodeAdapter } = library('@connectrpc/connect-node')

const handlers = {
  getItem: (request) => ({ item: item(request.id) }),
  async *streamItems(request) {
    for (let n = 1; n <= stream; n++) yield next(request.id, n)
  },
  async clientStream(requests) {
    let last
    for await (const one of requests) last = one
    return { item: last }
  },
  async *bidirectionalStream(requests) {
    yield* requests
  },
}

const service = registry(given).getService('volo.example.ItemService')
const server = http2.createServer(connectNodeAdapter({ routes: (router) => router.service(service, handlers) }))
server.listen(given.port, HOST, () => listening(server.address().port))
