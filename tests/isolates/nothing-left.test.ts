/** Sockets that change hands are held for a moment; none stays. */
import { readdirSync } from 'node:fs'

import test from 'ava'
import { runIsolates } from 'volo-js'

import { addon } from '../../dist/core/addon.js'
import { call, eventually, keepBusy } from './calls.js'

/** A library of Node may keep a descriptor of its own from the first use on: so everything happens once before. */
const descriptors = (): number => readdirSync('/proc/self/fd').length

async function life(): Promise<void> {
  const isolates = await runIsolates(new URL('./programs/server.js', import.meta.url), {
    count: 2,
    signals: false,
    workerData: { address: '127.0.0.1:0' },
    restart: { min: '10ms' },
    onEvent: () => undefined,
  })
  const [address] = isolates.addresses
  let stop = false
  const calls = keepBusy(address, 'pool', 16, () => stop)
  await isolates.reload()
  stop = true
  await calls
  await call(address, -1n).catch(() => undefined)
  await eventually(async () => (await isolates.stats()).isolates.some(({ restarts }) => restarts === 1))
  await eventually(async () => (await isolates.stats()).isolates.every(({ state }) => state === 'listening'))
  await isolates.close()
}

test('no socket is left when isolates were reloaded, died and closed', async (t) => {
  await life()
  const before = descriptors()
  await life()
  t.is(addon().heldSockets(), 0)
  await eventually(() => descriptors() <= before)
  t.pass()
})
