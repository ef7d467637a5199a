/** Where the thread of an isolate begins: it meets its supervisor, then runs the user's module as if that were its own beginning. */
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'
import workerThreads from 'node:worker_threads'

import { setKeeper } from '../core/keeper.js'
import { Membership } from './membership.js'
import type { IsolateData } from './messages.js'

const { url, port, workerData } = workerThreads.workerData as IsolateData
setKeeper(new Membership(port))
// The module finds what its own worker would have: its data, and its file in the arguments.
Object.assign(workerThreads, { workerData })
syncBuiltinESMExports()
if (url.startsWith('file:')) process.argv[1] = fileURLToPath(url)
await import(url)
