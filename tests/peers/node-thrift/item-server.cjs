'use strict'
// ItemService on npm's thrift, in its callback style, which is its fastest; with --echo EchoBinary of tests/fixtures/everything.thrift instead.

const { listen, load, options } = require('./options.cjs')

const given = options({ 'content-size': 'string', echo: 'boolean' })
const { generated, thrift, wire } = load(given)
const service = generated(given.echo ? 'Everything' : 'ItemService')
const { GetItemResponse, Item } = generated('item_types')

const size = given.number('content-size', -1)
const content = size < 0 ? 'This is a Volo example' : 'x'.repeat(size)

const handler = {
  GetItem(req, reply) {
    reply(null, new GetItemResponse({ item: new Item({ id: req.id, title: 'Hello Volo', content }) }))
  },
  EchoBinary(data, reply) {
    reply(null, data)
  },
}

listen(thrift.createServer(service, handler, wire), given.port)
