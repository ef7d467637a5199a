/** Processes that end while everything is under way: with the exit code that is right, and by no signal. */
import test from 'ava'
import { VoloError } from 'volo-js/thrift'
import { clientOf, serve } from '../life/item.js'
import { program, type Ending } from './program.js'
import { newSeed, seeded } from './random.js'
import { runtimes } from './runtimes.js'

const everywhere = [
  'exit-timer',
  'exit-immediate',
  'throw-timer',
  'exit-writing',
  'tick-writing',
  'microtask-writing',
] as const
const ofServers = ['exit-handler', 'tick-handler', 'microtask-handler', 'reject-handler', ...everywhere] as const
const ofClients = ['exit-answered', 'tick-answered', 'microtask-answered', 'reject-answered', ...everywhere] as const
const hows = { server: ofServers, client: ofClients, both: [...ofServers, ...ofClients] } as const

/** Calls what a process tells it listens on, until that has ended. */
async function load(address: string, over: () => boolean): Promise<void> {
  const client = clientOf(address)
  await Promise.all(
    Array.from({ length: 16 }, async (_, n) => {
      while (!over()) {
        try {
          await client.getItem({ id: BigInt(n) })
        } catch (error) {
          if (!VoloError.is(error)) throw error
          return
        }
      }
    }),
  )
  await client[Symbol.asyncDispose]()
}

test('a process that has lost an I/O thread ends, also where it listens for uncaught errors', async (t) => {
  const { code, signal, stdout, stderr } = await program('lost-thread', { args: ['main'] })
  t.deepEqual({ code, signal }, { code: 1, signal: null }, stderr)
  t.regex(stdout, /^caught volo-js: an I\/O thread has ended because of a defect in the core/)
  t.regex(stderr, /an I\/O thread is lost, so this isolate ends/)
})

test('an isolate that has lost an I/O thread ends alone', async (t) => {
  const { code, signal, stdout, stderr } = await program('lost-thread', { args: ['isolate'] })
  t.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
  t.regex(stdout, /^caught volo-js: an I\/O thread has ended[^]*the isolate ended with 1$/m)
})

for (const { name, env } of runtimes) {
  const count = name === 'inline' ? 100 : 40
  test(`${count} processes end at random moments under load, ${name}`, async (t) => {
    t.timeout(120_000)
    const seed = newSeed()
    t.log(`VOLO_SEED=${seed}`)
    const random = seeded(seed)
    const server = await serve()
    const runs = Array.from({ length: count }, () => {
      const role = random.of(['server', 'client', 'both'] as const)
      // From before the first module is loaded until long after all connections are made.
      return { role, how: random.of<string>(hows[role]), after: Math.floor(random.below(250)) }
    })
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
          const { role, how, after } = run
          let loading: Promise<void> | undefined
          let over = false
          const ending: Ending = await program('ending', {
            args: [role, how, after, server.address],
            env,
            ipc: true,
            started: (child) => {
              if (role !== 'server') return
              child.once('message', (address) => {
                loading = load(address as string, () => over)
              })
            },
          })
          over = true
          await loading
          const { code, signal, stderr } = ending
          const exits = how.startsWith('exit')
          const what = `${role} ${how} ${after}\n${stderr}`
          t.deepEqual({ code, signal }, { code: exits ? 7 : 1, signal: null }, what)
          if (exits) t.is(stderr, '', what)
          else t.regex(stderr, /on purpose/, what)
        }
      }),
    )
    await server.close()
    const { calls, replies, exceptions, abandoned, inFlight } = server.stats()
    t.is(calls, replies + exceptions + abandoned + inFlight)
  })
}
