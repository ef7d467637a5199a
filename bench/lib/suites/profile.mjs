/**
 * Where the server's CPU time goes under load: a flame graph, and the share outside of system calls, which is what the framework (Rust, generated
 * and framework JavaScript, Node's part of the loop) costs beside what the kernel takes for moving bytes.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { peer } from '../../../scripts/peers.mjs'
import { addonFile, buildCache, cargoTarget, root } from '../../../scripts/lib/paths.mjs'
import { bin, Failure, must, pinned, ServerProcess, which } from '../../../scripts/lib/process.mjs'
import { hashOf, readStamp, writeStamp } from '../../../scripts/lib/stamp.mjs'
import { flameGraph, fold, ownerOf } from '../flame.mjs'
import { allowedCpus } from '../cpus.mjs'
import { LOAD_CPU, putLoad, SERVER_CPU } from '../load.mjs'
import { alone } from '../row.mjs'
import { ourServer } from '../servers.mjs'

/** Samples a second; odd, so as not to beat with timers. */
const FREQUENCY = 997

/** An addon with names and frame pointers: without them a profile shows addresses. */
async function profiledAddon() {
  if (process.env.VOLO_ADDON) return process.env.VOLO_ADDON
  const file = join(buildCache, 'profile', addonFile())
  const hash = hashOf(['Cargo.toml', 'Cargo.lock', 'build.rs', 'bindings', 'crates'], { match: /\.(rs|toml|lock)$/ })
  if (readStamp('profile') === hash) return file
  const out = join(buildCache, 'profile-build')
  mkdirSync(join(buildCache, 'profile'), { recursive: true })
  const build = bin('napi', ['build', '--platform', '--profile', 'fast', '--no-js', '--output-dir', out])
  const env = { RUSTFLAGS: '-C force-frame-pointers=yes', CARGO_TARGET_DIR: join(cargoTarget, 'profile') }
  await must({ ...build, env })
  renameSync(join(out, addonFile()), file)
  writeStamp('profile', hash)
  return file
}

/**
 * What is profiled of a runtime. Those with I/O threads are looked at as they are compared with each other: two threads, 256 connections, on two
 * CPUs, which load shares with them where there are no more.
 * @param {import('../runtimes.mjs').Runtime} runtime
 */
function configuration(runtime) {
  if (runtime === 'inline') return { threads: 0, connections: 64, server: SERVER_CPU, load: LOAD_CPU }
  const cpus = allowedCpus()
  const server = cpus.slice(0, 2).join(',')
  return { threads: 2, connections: 256, server, load: cpus.length > 2 ? cpus.slice(2).join(',') : server }
}

/**
 * @param {{ seconds: number, progress: (text: string) => void, runtime: import('../runtimes.mjs').Runtime }} settings
 * @returns {Promise<import('../row.mjs').Row[]>}
 */
export async function profile(settings) {
  if (which('perf') === undefined) {
    throw new Failure(
      'perf is missing: install it (Debian: linux-perf) and allow it (kernel.perf_event_paranoid at most 2).',
    )
  }
  const { threads, connections, server: cpus, load: loadCpus } = configuration(settings.runtime)
  const shape = { connections, depth: 1, cpus: loadCpus }
  settings.progress('profile: building an addon with names')
  const addon = await profiledAddon()
  const generator = await peer('load')
  const command = {
    ...ourServer([], ['--perf-basic-prof-only-functions', '--interpreted-frames-native-stack']),
    env: { VOLO_ADDON: addon, VOLO_RUNTIME: settings.runtime, ...(threads > 0 ? { VOLO_THREADS: `${threads}` } : {}) },
  }
  const server = await ServerProcess.start(pinned(cpus, command), { ipc: true })
  const data = join(buildCache, 'perf.data')
  try {
    await putLoad(generator, server, { ...shape, seconds: 2 })
    settings.progress('profile: sampling')
    const load = putLoad(generator, server, { ...shape, seconds: settings.seconds + 1 })
    const args = [
      'record',
      '-q',
      '-F',
      `${FREQUENCY}`,
      '-g',
      '-p',
      `${server.pid}`,
      '-o',
      data,
      '--',
      'sleep',
      `${settings.seconds}`,
    ]
    await must({ command: 'perf', args })
    await load
    settings.progress('profile: folding stacks')
    const { stdout } = await must({ command: 'perf', args: ['script', '-i', data] })
    return result(stdout, settings.runtime, `${connections} × 1${threads > 0 ? `, ${threads} I/O threads` : ''}`)
  } finally {
    await server.stop()
    rmSync(data, { force: true })
    rmSync(join('/tmp', `perf-${server.pid}.map`), { force: true })
  }
}

/**
 * @param {string} script
 * @param {import('../runtimes.mjs').Runtime} runtime
 * @param {string} what was measured
 * @returns {import('../row.mjs').Row[]}
 */
function result(script, runtime, what) {
  const isThreaded = runtime !== 'inline'
  const stacks = fold(script, isThreaded)
  const total = stacks.reduce((sum, stack) => sum + stack.count, 0)
  if (total === 0) throw new Failure('perf took no samples: is kernel.perf_event_paranoid above 2?')
  mkdirSync(join(root, 'bench', 'results'), { recursive: true })
  const file = isThreaded ? `flame-${runtime}.svg` : 'flame.svg'
  const title = `volo-js: CPU of the server under load, ${runtime}, ${what}, ${total} samples`
  writeFileSync(join(root, 'bench', 'results', file), flameGraph(stacks, title))

  /** @type {Map<string, number>} */
  const owners = new Map()
  for (const stack of stacks) owners.set(ownerOf(stack), (owners.get(ownerOf(stack)) ?? 0) + stack.count)
  /** @param {number} samples */
  const share = (samples) => [(samples / total) * 100]
  const outside = total - (owners.get('system calls') ?? 0)
  return [
    alone('CPU outside system calls', '%', share(outside), undefined, `bench/results/${file}`),
    ...['addon', 'JavaScript', 'Node and libuv'].map((name) => alone(`  ${name}`, '%', share(owners.get(name) ?? 0))),
    ...(isThreaded ? threadRows(stacks, share) : []),
  ]
}

/**
 * The share of each thread that takes more than a hundredth, and how much of that is in system calls.
 * @param {readonly import('../flame.mjs').Stack[]} stacks whose outermost frame is their thread
 * @param {(samples: number) => number[]} share
 */
function threadRows(stacks, share) {
  /** @type {Map<string, { all: number, kernel: number }>} */
  const threads = new Map()
  for (const { frames, inKernel, count } of stacks) {
    const thread = threads.get(frames[0]) ?? { all: 0, kernel: 0 }
    thread.all += count
    if (inKernel) thread.kernel += count
    threads.set(frames[0], thread)
  }
  return [...threads]
    .filter(([, { all }]) => share(all)[0] >= 1)
    .sort(([, one], [, other]) => other.all - one.all)
    .map(([name, { all, kernel }]) =>
      alone(
        `thread ${name}`,
        '%',
        share(all),
        undefined,
        `${((kernel / all) * 100).toFixed(0)} % of it in system calls`,
      ),
    )
}
