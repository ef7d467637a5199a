/** A client that is never closed: the process ends by itself when nothing is in flight, and not before. */
import { clientOf } from '../item.js'

const [address] = process.argv.slice(2)
const client = clientOf(address, 'pool')
void client.getItem({ id: 1n }).then(({ item }) => console.log(`got ${item.title}`))
