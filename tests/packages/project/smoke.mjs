/** Calls itself a hundred times over a socket. */
import { call } from './items.mjs'

call(100).then((answered) => console.log(`answered ${answered}`))
