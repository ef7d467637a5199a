#!/usr/bin/env node
/**
 * node scripts/release/build.mjs TARGET [--out DIR] [--profile release|fast] [-- CARGO-ARGUMENT...]
 *
 * Builds the addon for a Rust target of `napi.targets`, into `--out` (default `target/binaries`). Linux targets are linked by zig, whatever
 * Linux this runs on: those of glibc run from glibc 2.17 on, those of musl with any. zig and cargo-zigbuild come from PyPI at pinned versions, into
 * the shared cache. The Rust target must be installed: `rustup target add TARGET`.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { cached } from '../lib/cached.mjs'
import { root } from '../lib/paths.mjs'
import { Failure, must, napi, runMain, which } from '../lib/process.mjs'

const ZIG = 'ziglang==0.15.2'
const ZIGBUILD = 'cargo-zigbuild==0.24.0'

/** The oldest glibc that binaries run with; Rust itself wants no older one. */
const GLIBC = '2.17'

/** A virtual environment of Python with zig and cargo-zigbuild. */
async function zig() {
  const python = which('python3')
  if (python === undefined) throw new Failure('python3 is missing: zig comes from PyPI. Install Python 3.9 or newer.')
  const name = `zig-${ZIG}-${ZIGBUILD}`.replaceAll('==', '-')
  const folder = await cached(name, 'zig, cargo-zigbuild', async (aside) => {
    // Neither program minds that the folder is renamed afterwards; scripts of the environment would.
    await must({ command: python, args: ['-m', 'pip', 'install', '-q', '--target', aside, ZIG, ZIGBUILD] })
  })
  const path = [join(folder, 'bin'), process.env.PATH].join(delimiter)
  return { PATH: path, PYTHONPATH: folder }
}

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'target', 'binaries') },
      profile: { type: 'string', default: 'release' },
    },
    allowPositionals: true,
  })
  const [target, ...more] = positionals
  const { targets } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi
  if (!targets.includes(target)) {
    throw new Failure(`Name one of the targets ${targets.join(', ')}.`, { exitCode: 2 })
  }
  const out = resolve(values.out)
  mkdirSync(out, { recursive: true })
  const linux = target.includes('-linux-')
  const versioned = target.endsWith('-gnu') ? `${target}.${GLIBC}` : target
  const args = ['build', '--platform', '--no-js', '--profile', values.profile, '--output-dir', out]
  const cross = linux ? ['--cross-compile', '--target', versioned] : ['--target', target]
  const separated = more.length > 0 ? ['--', ...more] : []
  const command = napi([...args, ...cross, ...separated])
  await must({ ...command, ...(linux ? { env: await zig() } : {}) }, { stream: true })
})
