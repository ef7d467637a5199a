/** The certificates of a soak run: those of the tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../lib/paths.mjs'

/** @param {string} name */
const pem = (name) => readFileSync(join(root, 'tests', 'fixtures', 'tls', name))

/** The server's. */
export const identity = { cert: pem('server.pem'), key: pem('server.key') }

/** What clients trust. */
export const trusted = { ca: pem('ca.pem') }
