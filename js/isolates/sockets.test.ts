import test from 'ava'

import { addon } from '../core/addon.js'
import { Sockets } from './sockets.js'

const anyPort = { host: '127.0.0.1', port: 0 }

test('sockets that are closed are not bound anew', (t) => {
  const sockets = new Sockets()
  sockets.bind(0, 'a', anyPort)
  sockets.close()
  const error = t.throws(() => sockets.bind(1, 'a', anyPort))
  t.is((error as NodeJS.ErrnoException).code, 'ECANCELED')
  t.is(addon().heldSockets(), 0)
})
