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
import { putLoad, SERVER_CPU } from '../load.mjs'
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
 * @param {{ seconds: number, progress: (text: string) => void }} settings
 * @returns {Promise<import('../row.mjs').Row[]>}
 */
export async function profile(settings) {
  if (which('perf') === undefined) {
    throw new Failure(
      'perf is missing: install it (Debian: linux-perf) and allow it (kernel.perf_event_paranoid at most 2).',
    )
  }
  settings.progress('profile: building an addon with names')
  const addon = await profiledAddon()
  const generator = await peer('load')
  const command = {
    ...ourServer([], ['--perf-basic-prof-only-functions', '--interpreted-frames-native-stack']),
    env: { VOLO_ADDON: addon },
  }
  const server = await ServerProcess.start(pinned(SERVER_CPU, command), { ipc: true })
  const data = join(buildCache, 'perf.data')
  try {
    await putLoad(generator, server, { connections: 64, depth: 1, seconds: 2 })
    settings.progress('profile: sampling')
    const load = putLoad(generator, server, { connections: 64, depth: 1, seconds: settings.seconds + 1 })
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
    return result(stdout)
  } finally {
    await server.stop()
    rmSync(data, { force: true })
    rmSync(join('/tmp', `perf-${server.pid}.map`), { force: true })
  }
}

/**
 * @param {string} script
 * @returns {import('../row.mjs').Row[]}
 */
function result(script) {
  const stacks = fold(script)
  const total = stacks.reduce((sum, stack) => sum + stack.count, 0)
  if (total === 0) throw new Failure('perf took no samples: is kernel.perf_event_paranoid above 2?')
  mkdirSync(join(root, 'bench', 'results'), { recursive: true })
  const title = `volo-js: CPU of the server under load, ${total} samples`
  writeFileSync(join(root, 'bench', 'results', 'flame.svg'), flameGraph(stacks, title))

  /** @type {Map<string, number>} */
  const owners = new Map()
  for (const stack of stacks) owners.set(ownerOf(stack), (owners.get(ownerOf(stack)) ?? 0) + stack.count)
  /** @param {number} samples */
  const share = (samples) => [(samples / total) * 100]
  const outside = total - (owners.get('system calls') ?? 0)
  return [
    alone('CPU outside system calls', '%', share(outside), undefined, 'bench/results/flame.svg'),
    ...['addon', 'JavaScript', 'Node and libuv'].map((name) => alone(`  ${name}`, '%', share(owners.get(name) ?? 0))),
  ]
}
