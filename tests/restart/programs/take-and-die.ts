/** A new process that takes the sockets of the running one, and dies before it serves: `take-and-die.js PATH`. */
import { Predecessor } from '../../../dist/restart/predecessor.js'

const predecessor = Predecessor.find(process.argv[2])
await predecessor?.inherit()
process.exit(predecessor === undefined ? 2 : 1)
