/**
 * The suites of `npm test`. A suite is a function that comes back with counts and output; what it throws is a failure with a reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { build } from './build.mjs'
import { cached } from './cached.mjs'
import { cargoTool } from './cargo-tool.mjs'
import { countCargo, countExpectations, countSum, countTap } from './count.mjs'
import { LINES, NODES, nodeOf } from './nodes.mjs'
import { buildCache, cargoTarget, peersTarget, root, sharedCache } from './paths.mjs'
import { bin, Failure, must, run, which } from './process.mjs'
import { setup } from './setup.mjs'
import { files } from './stamp.mjs'

/** Version of actionlint, built into the shared cache where the machine has none. */
const ACTIONLINT = '1.7.12'

/** Seconds each fuzz target runs: short here, a minute for all; a long run is `cargo fuzz run TARGET`. */
const FUZZ_SECONDS = 30

/**
 * Crates that a sanitizer has nothing to find in: the addon, which has no tests without Node; what has no unsafe code and is tested with large
 * libraries that have; without threads, races.
 */
const NOT_SANITIZED = {
  address: ['volo-js', 'volo-js-schema', 'volo-js-protobuf', 'volo-js-tls'],
  thread: [
    ...['volo-js', 'volo-js-schema', 'volo-js-protobuf', 'volo-js-tls'],
    ...['volo-js-tape', 'volo-js-thrift', 'volo-js-grpc'],
  ],
}

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} [skipped]
 * @property {string} output shown if something failed
 * @property {string} [remark] shown always
 */

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} needs suites that must have passed before
 * @property {'rust' | 'node'} lane one suite of a lane runs at a time: two cargo runs would wait for each other's lock
 * @property {boolean} [preparation] does not count as a test, unless it fails
 * @property {() => readonly string[]} [builds] folders that it has built in and no later suite does
 * @property {() => Promise<Outcome>} run
 */

/**
 * Runs a command. What cargo builds, the machine may spoil.
 * @param {import('./process.mjs').Command} command
 * @returns {ReturnType<typeof build>}
 */
async function perform(command) {
  return command.command === 'cargo' ? build(command) : { ...(await run(command)), remark: '' }
}

/**
 * A check that passes or fails as a whole.
 * @param {import('./process.mjs').Command} command
 * @returns {Promise<Outcome>}
 */
async function check(command) {
  const { code, output, remark } = await perform(command)
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output, remark }
}

/**
 * A runner whose output says how many tests passed. One that fails without a failed test (it did not compile, or crashed), or that ran no test
 * at all, is a failure.
 * @param {import('./process.mjs').Command} command
 * @param {(output: string) => import('./count.mjs').Counts} countIn
 * @returns {Promise<Outcome>}
 */
async function counted(command, countIn) {
  const { code, output: all, stdout, remark } = await perform(command)
  const counts = countIn(stdout)
  // A thousand tests that passed would hide the one that did not.
  const output = countIn === countTap ? all.replace(/^ok \d+ .*\n/gm, '') : all
  if (counts.passed + counts.failed === 0) {
    return { passed: 0, failed: 1, output: `${output}\nNo test ran.`, remark }
  }
  return { ...counts, failed: counts.failed === 0 && code !== 0 ? 1 : counts.failed, output, remark }
}

/**
 * Several checks, one after the other; the output of those that failed.
 * @param {readonly import('./process.mjs').Command[]} commands
 * @returns {Promise<Outcome>}
 */
async function checks(commands) {
  const outcomes = []
  for (const command of commands) outcomes.push(await check(command))
  return together(outcomes)
}

/**
 * Outcomes of a suite's parts as one.
 * @param {readonly Outcome[]} outcomes
 * @returns {Outcome}
 */
function together(outcomes) {
  const sum = (/** @type {'passed' | 'failed'} */ key) => outcomes.reduce((total, outcome) => total + outcome[key], 0)
  const output = outcomes.filter(({ failed }) => failed > 0).map(({ output }) => output.trimEnd())
  const remarks = outcomes.map(({ remark }) => remark).filter(Boolean)
  return { passed: sum('passed'), failed: sum('failed'), output: output.join('\n'), remark: remarks.join('; ') }
}

/**
 * Steps of the setup.
 * @param {readonly string[]} only
 * @returns {Promise<Outcome>}
 */
async function steps(only) {
  /** @type {string[]} */
  const done = []
  await setup({
    profile: 'fast',
    only,
    stream: false,
    report: (_step, event, _ms, remark) => event === 'done' && done.push(remark),
  })
  const remark = done.length > 0 ? done.filter((told) => told !== '').join('; ') : 'up to date'
  return { passed: 1, failed: 0, output: '', remark }
}

/**
 * @param {readonly string[]} args
 * @returns {import('./process.mjs').Command}
 */
const cargo = (args) => ({ command: 'cargo', args, env: { CARGO_TERM_COLOR: 'never' } })

/**
 * The nightly toolchain, with components that the machine may lack.
 * @param {string} purpose begins the message where there is none
 * @param {readonly string[]} components
 */
async function nightly(purpose, components) {
  const version = await run(cargo(['+nightly', '--version']))
  if (version.code !== 0) {
    throw new Failure(`${purpose} needs the nightly toolchain: rustup toolchain install nightly.`, version)
  }
  if (components.length === 0) return
  const rustup = { command: 'rustup', args: ['component', 'add', '--toolchain', 'nightly', ...components] }
  const added = await run(rustup)
  if (added.code !== 0) {
    throw new Failure(`${purpose} needs ${components.join(' and ')}: ${rustup.args.join(' ')} failed.`, added)
  }
}

/** A minute of `npm run soak`: too short to judge growth, long enough to lose a call. */
async function soak() {
  const out = join(buildCache, 'soak')
  const { code, output } = await run({
    command: process.execPath,
    args: ['scripts/soak.mjs', '--minutes', '1', '--out', out],
  })
  const remark = /^[\d,]+ calls in .*$/m.exec(output)?.[0] ?? ''
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output, remark }
}

/** Where the addon is built: napi-rs names the platform, so what runs while others are compiled has a folder of its own. */
const builtFast = () =>
  (existsSync(cargoTarget) ? readdirSync(cargoTarget, { withFileTypes: true }) : [])
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => (name === 'fast' ? join(cargoTarget, name) : join(cargoTarget, name, 'fast')))

/** Where suites build that compile with other flags, or another compiler: an ordinary build would wait for the lock, or build all anew. */
const OWN_TARGETS = {
  miri: join(sharedCache, 'miri'),
  loom: join(sharedCache, 'loom'),
  sanitizers: join(sharedCache, 'sanitizers'),
  fuzz: join(root, 'fuzz', 'target'),
}

/** The crate whose memory JavaScript writes as well, interpreted: every access is checked. */
async function miri() {
  await nightly('Miri', ['miri', 'rust-src'])
  const command = cargo(['+nightly', 'miri', 'test', '-p', 'volo-js-tape', '--lib', '--tests', '--no-fail-fast'])
  const env = { ...command.env, CARGO_TARGET_DIR: OWN_TARGETS.miri, CARGO_INCREMENTAL: '0' }
  return counted({ ...command, env }, countCargo)
}

/** What crosses between threads, in every order in which its steps may happen. */
function loom() {
  const command = cargo(['test', '-p', 'volo-js-io-threads', '--lib', '--profile', 'fast'])
  const env = { ...command.env, CARGO_TARGET_DIR: OWN_TARGETS.loom, RUSTFLAGS: '--cfg volo_loom' }
  return counted({ ...command, env }, countCargo)
}

/** Where sanitizers are known to work with a standard library built for them. */
const SANITIZED_TARGET = 'x86_64-unknown-linux-gnu'

/** The core's tests with accesses out of bounds, use after free and leaks (address) and with data races (thread) found. */
async function sanitizers() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Failure(`Sanitizers run on ${SANITIZED_TARGET} only; this is ${process.platform}-${process.arch}.`)
  }
  await nightly('The sanitizers', ['rust-src'])
  const outcomes = []
  for (const [sanitizer, excluded] of Object.entries(NOT_SANITIZED)) {
    const crates = ['--workspace', ...excluded.flatMap((crate) => ['--exclude', crate])]
    const command = cargo([
      '+nightly',
      'test',
      '-Zbuild-std',
      '--target',
      SANITIZED_TARGET,
      '--no-fail-fast',
      '--lib',
      '--tests',
      ...crates,
    ])
    const env = {
      ...command.env,
      // The standard library is built for it too, which takes minutes; the next run, of any checkout, finds it here.
      CARGO_TARGET_DIR: join(OWN_TARGETS.sanitizers, sanitizer),
      CARGO_INCREMENTAL: '0',
      RUSTFLAGS: `-Zsanitizer=${sanitizer} --cfg volo_sanitized`,
      // A trace of a panic that a test wants takes longer here than the test.
      RUST_BACKTRACE: '0',
      // Frames are many times as large, and tests of deep nesting recurse.
      RUST_MIN_STACK: String(64 << 20),
      PROPTEST_CASES: '32',
      // A test that raced has failed, whatever it asserted.
      TSAN_OPTIONS: 'halt_on_error=1',
      // What is known of others, each with its reason.
      LSAN_OPTIONS: `suppressions=${join(root, 'tests', 'soundness', 'leaks.supp')}:print_suppressions=0`,
    }
    outcomes.push(await counted({ ...command, env }, countCargo))
  }
  return together(outcomes)
}

/** @returns {Promise<Outcome>} */
async function fuzz() {
  const folder = join(root, 'fuzz', 'fuzz_targets')
  const targets = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.rs'))
    .map((name) => name.slice(0, -3))
  if (targets.length === 0) return { passed: 0, failed: 1, output: 'fuzz/fuzz_targets holds no target.' }
  await nightly('Fuzzing', [])
  const tool = await cargoTool('cargo-fuzz')
  /** @type {Outcome[]} */
  const outcomes = []
  let runs = 0
  for (const target of targets) {
    // The corpus of the repository is read, what is found goes to a folder of this checkout.
    const found = join(buildCache, 'fuzz', target)
    await must({ command: 'mkdir', args: ['-p', found] })
    const seeds = join(root, 'fuzz', 'corpus', target)
    const { code, output, remark } = await build({
      command: tool,
      args: [
        'fuzz',
        'run',
        target,
        found,
        ...(existsSync(seeds) ? [seeds] : []),
        '--',
        `-max_total_time=${FUZZ_SECONDS}`,
      ],
      env: { RUSTUP_TOOLCHAIN: 'nightly' },
    })
    const made = Number(/Done (\d+) runs/.exec(output)?.[1] ?? 0)
    runs += made
    const passed = code === 0 && made > 0 ? 1 : 0
    outcomes.push({ passed, failed: 1 - passed, output: output.slice(-20_000), remark })
  }
  const all = together(outcomes)
  return { ...all, remark: [`${runs.toLocaleString('en-US')} inputs`, all.remark].filter(Boolean).join('; ') }
}

/** @returns {Promise<Outcome>} */
async function types() {
  const sources = files('tests/types').filter((file) => file.endsWith('.ts'))
  if (sources.length === 0) return { passed: 0, failed: 1, output: 'tests/types holds no file.' }
  const expectations = sources.reduce((sum, file) => sum + countExpectations(readFileSync(file, 'utf8')), 0)
  const { code, output } = await run(bin('tsc', ['-p', 'tsconfig.types.json']))
  const mistakes = output.match(/^\S+\(\d+,\d+\): error/gm)?.length ?? 0
  if (code !== 0 && mistakes === 0) return { passed: 0, failed: 1, output }
  return { passed: Math.max(0, expectations - mistakes), failed: mistakes, output }
}

/** The checker of GitHub's workflows: the machine's, or a pinned one in the shared cache. */
async function actionlint() {
  const tool = which('actionlint')
  if (tool !== undefined) return tool
  if (which('go') === undefined) throw new Failure('actionlint is missing, and so is Go to build it. Install either.')
  const folder = await cached(`actionlint-${ACTIONLINT}`, 'actionlint', async (aside) => {
    const args = ['install', `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`]
    await must({ command: 'go', args, env: { GOBIN: aside } })
  })
  return join(folder, 'actionlint')
}

/** Tests of what Node itself has a part in: storages, threads and their ends, signals, sockets that change hands. */
const NEAR_NODE = [
  'tests/life/**',
  'tests/isolates/**',
  'tests/soundness/isolates.test.js',
  'tests/restart/grpc.test.js',
  'tests/faults/large.test.js',
  'dist/core/**',
  'dist/grpc/**',
  'dist/restart/**',
]

/**
 * AVA's tests under other versions of Node: those that come near to Node itself.
 * @returns {Promise<Outcome>}
 */
async function nodes() {
  const outcomes = []
  const others = LINES.filter((line) => !process.version.startsWith(`v${line}.`))
  for (const line of others) {
    const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
    const args = [ava, '--tap', ...NEAR_NODE]
    // A hundred isolates tell of a crash as a thousand do; those go by the machine's own Node.
    const outcome = await counted({ command: await nodeOf(line), args, env: { VOLO_ISOLATES: '100' } }, countTap)
    outcomes.push({ ...outcome, output: `Node ${line}:\n${outcome.output}` })
  }
  return { ...together(outcomes), remark: others.map((line) => NODES[line]).join(', ') }
}

/**
 * What is published, as others install and use it.
 * @returns {Promise<Outcome>}
 */
async function packages() {
  // Packed and installed first, by one process; what the tests run at once finds it.
  const { installedProject } = await import('../../tests/packages/installed.mjs')
  await installedProject()
  return counted(bin('ava', ['--config', 'ava.packages.config.js', '--tap']), countTap)
}

/** What must hold whatever moves the bytes. Tests that take every runtime in turn by themselves are not among them. */
const behaviour = [
  ...['addresses', 'deadlines', 'large', 'limits', 'malformed', 'peers-of-clients', 'peers-of-servers'].map(
    (name) => `tests/faults/${name}.test.js`,
  ),
  'tests/life/*.test.js',
  'tests/interop/clients.test.js',
  'tests/interop/servers.test.js',
  'tests/interop/grpc/*.test.js',
  'tests/attacks/grpc/*.test.js',
  'dist/core/*.test.js',
  'dist/grpc/*.test.js',
]

/**
 * The tests of behaviour, with every server and client on I/O threads.
 * @param {'tokio' | 'monoio'} runtime
 * @returns {Suite}
 */
const behaviourOn = (runtime) => ({
  name: runtime,
  title: `behaviour on ${runtime}`,
  needs: ['generated', 'peers'],
  lane: 'node',
  run: () => counted({ ...bin('ava', ['--tap', ...behaviour]), env: { VOLO_RUNTIME: runtime } }, countTap),
})

/** @type {readonly Suite[]} */
export const suites = [
  {
    name: 'dependencies',
    title: 'npm dependencies',
    needs: [],
    lane: 'node',
    preparation: true,
    run: () => steps(['dependencies']),
  },
  { name: 'fmt', title: 'cargo fmt', needs: [], lane: 'rust', run: () => check(cargo(['fmt', '--all', '--check'])) },
  {
    name: 'addon',
    title: 'Rust addon',
    needs: ['dependencies'],
    lane: 'rust',
    preparation: true,
    builds: builtFast,
    run: () => steps(['addon']),
  },
  {
    name: 'tsc',
    title: 'TypeScript',
    needs: ['dependencies'],
    lane: 'node',
    async run() {
      await steps(['typescript'])
      const scripts = await check(bin('tsc', ['-p', 'tsconfig.scripts.json']))
      return { ...scripts, passed: scripts.passed + 1 }
    },
  },
  {
    name: 'peers',
    title: 'peers to test against',
    needs: ['dependencies'],
    lane: 'node',
    builds: () => [peersTarget],
    async run() {
      const { output } = await must({ command: process.execPath, args: ['scripts/peers.mjs', '--tests'] })
      const outcome = await counted({ command: process.execPath, args: ['tests/peers/check.mjs'] }, countSum)
      return { ...outcome, remark: output.match(/^built once more: .*$/gm)?.join('; ') ?? '' }
    },
  },
  {
    name: 'generated',
    title: 'generated code, examples',
    needs: ['addon', 'tsc'],
    lane: 'node',
    preparation: true,
    run: () => steps(['generated']),
  },
  { name: 'types', title: 'type tests', needs: ['generated'], lane: 'node', run: types },
  {
    name: 'ava',
    title: 'AVA',
    needs: ['generated', 'peers'],
    lane: 'node',
    run: () => counted(bin('ava', ['--tap']), countTap),
  },
  {
    name: 'interop',
    title: "Apache Thrift's cross tests",
    needs: ['generated', 'peers'],
    lane: 'node',
    run: () => counted({ command: process.execPath, args: ['tests/interop/apache/matrix.mjs'] }, countSum),
  },
  behaviourOn('tokio'),
  behaviourOn('monoio'),
  {
    name: 'conformance',
    title: 'conformance of Protobuf',
    needs: ['generated'],
    lane: 'node',
    run: () => counted({ command: process.execPath, args: ['tests/conformance/run.mjs'] }, countSum),
  },
  {
    name: 'rust',
    title: 'cargo test',
    needs: ['addon'],
    lane: 'rust',
    run: () => counted(cargo(['test', '--workspace', '--no-fail-fast']), countCargo),
  },
  {
    name: 'clippy',
    title: 'clippy',
    needs: ['addon'],
    lane: 'rust',
    builds: () => [join(cargoTarget, 'debug')],
    run: () => check(cargo(['clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'])),
  },
  {
    name: 'lint',
    title: 'eslint, prettier',
    needs: ['generated'],
    lane: 'node',
    run: () => checks([bin('eslint', ['.']), bin('prettier', ['--check', '.'])]),
  },
  {
    name: 'package',
    title: 'publint, attw',
    needs: ['tsc', 'addon'],
    lane: 'node',
    run: () => checks([bin('publint', ['--strict']), bin('attw', ['--pack', '.', '--profile', 'esm-only'])]),
  },
  {
    name: 'soak',
    title: 'everything at once',
    needs: ['generated'],
    lane: 'node',
    run: soak,
  },
  { name: 'miri', title: 'Miri: tape', needs: ['addon'], lane: 'rust', builds: () => [OWN_TARGETS.miri], run: miri },
  { name: 'loom', title: 'loom: threads', needs: ['addon'], lane: 'rust', builds: () => [OWN_TARGETS.loom], run: loom },
  {
    name: 'sanitizers',
    title: 'address and thread sanitizer',
    needs: ['addon'],
    lane: 'rust',
    builds: () => [OWN_TARGETS.sanitizers],
    run: sanitizers,
  },
  {
    name: 'outfit',
    title: 'Nodes, runners, roots',
    needs: ['dependencies'],
    lane: 'node',
    preparation: true,
    async run() {
      await must({ command: process.execPath, args: ['scripts/outfit.mjs'] })
      return { passed: 1, failed: 0, output: '' }
    },
  },
  {
    name: 'workflows',
    title: 'actionlint',
    needs: [],
    lane: 'node',
    // Its helpers are not on every machine: what it finds must not depend on them.
    run: async () => check({ command: await actionlint(), args: ['-no-color', '-shellcheck=', '-pyflakes='] }),
  },
  { name: 'nodes', title: 'other versions of Node', needs: ['generated', 'outfit'], lane: 'node', run: nodes },
  { name: 'packages', title: 'installed packages', needs: ['generated', 'outfit'], lane: 'node', run: packages },
  { name: 'fuzz', title: 'fuzz targets', needs: ['addon'], lane: 'rust', builds: () => [OWN_TARGETS.fuzz], run: fuzz },
]
