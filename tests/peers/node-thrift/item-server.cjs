'use strict'
// ItemService on npm's thrift, in its callback style, which is its fastest.

const { listen, load, options } = require('./options.cjs')

const given = options({ 'content-size': 'string' })
const { generated, thrift, wire } = load(given)
const ItemService = generated('ItemService')
const { GetItemResponse, Item } = generated('item_types')

const size = given.number('content-size', -1)
const content = size < 0 ? 'This is a Volo example' : 'x'.repeat(size)

const handler = {
  GetItem(req, reply) {
    reply(null, new GetItemResponse({ item: new Item({ id: req.id, title: 'Hello Volo', content }) }))
  },
}

listen(thrift.createServer(ItemService, handler, wire), given.port)
