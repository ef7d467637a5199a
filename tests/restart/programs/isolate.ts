/** The module of every isolate: `isolate.js ADDRESS`. */
import { Server } from 'volo-js/thrift'
import { ItemService } from '../../../examples/volo-gen/index.js'

await Server.of(ItemService, {
  getItem: ({ id }) => ({ item: { id, title: 'Hello Volo', content: 'This is a Volo example' } }),
}).run(process.argv[2])
