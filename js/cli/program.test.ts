import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { VERSION } from '../build/version.js'
import { coloursFor } from './colours.js'
import { run } from './program.js'

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command as a terminal without colours would. */
async function volo(...args: string[]): Promise<Result> {
  let [stdout, stderr] = ['', '']
  const code = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  })
  return { code, stdout, stderr }
}

const item = fileURLToPath(new URL('../../examples/item.thrift', import.meta.url))

async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'volo-js-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('build says what it wrote, and leaves alone what has not changed', async (t) => {
  await using temporary = await folder()
  const out = join(temporary.path, 'deep', 'volo-gen')
  const first = await volo('build', item, '--out', out)
  t.is(first.stderr, '')
  t.is(first.code, 0)
  const names = ['item.js', 'item.d.ts', 'schema.js', 'schema.d.ts', 'index.js', 'index.d.ts']
  t.is(first.stdout, names.map((name) => `wrote     ${join(out, name)}\n`).join(''))

  const before = await stat(join(out, 'item.js'))
  await writeFile(join(out, 'index.js'), 'edited')
  const second = await volo('build', item, '-o', out)
  t.is((await stat(join(out, 'item.js'))).mtimeMs, before.mtimeMs)
  t.is(
    second.stdout
      .split('\n')
      .filter((line) => line.startsWith('wrote'))
      .join(),
    `wrote     ${join(out, 'index.js')}`,
  )
  t.regex(await readFile(join(out, 'index.js'), 'utf8'), /ItemService/)
})

test('build finds included files in the directories it is given', async (t) => {
  await using temporary = await folder()
  const { path } = temporary
  await mkdir(join(path, 'shared'))
  await writeFile(join(path, 'shared', 'base.thrift'), 'struct Base { 1: i64 id }')
  await writeFile(join(path, 'main.thrift'), 'include "base.thrift"\nstruct Main { 1: base.Base base }')
  const out = join(path, 'out')
  t.is((await volo('build', join(path, 'main.thrift'), '-o', out)).code, 1)
  t.is((await volo('build', join(path, 'main.thrift'), '-o', out, '-I', join(path, 'shared'))).code, 0)
  t.regex(await readFile(join(out, 'base.d.ts'), 'utf8'), /id\?: bigint/)
  t.is(
    (await volo('build', join(path, 'main.thrift'), '-o', out, '-I', join(path, 'shared'), '--i64', 'number')).code,
    0,
  )
  t.regex(await readFile(join(out, 'base.d.ts'), 'utf8'), /id\?: number/)
})

test('build keeps unknown fields where it is told to', async (t) => {
  await using temporary = await folder()
  const declarations = async (...options: string[]): Promise<string> => {
    t.is((await volo('build', item, '-o', temporary.path, ...options)).code, 0)
    return readFile(join(temporary.path, 'item.d.ts'), 'utf8')
  }
  t.notRegex(await declarations(), /UnknownFields/)
  t.regex(await declarations('--keep-unknown'), /interface Item extends UnknownFields/)
})

test('mistakes in IDL are shown where they are, all at once, and nothing is written', async (t) => {
  await using temporary = await folder()
  const file = join(temporary.path, 'wrong.thrift')
  await writeFile(file, 'struct Item {\n    1: required i64 id,\n    1: optional Itme twin,\n}\n')
  const out = join(temporary.path, 'out')
  const { code, stdout, stderr } = await volo('build', file, '-o', out)
  t.is(code, 1)
  t.is(stdout, '')
  t.true(stderr.includes(`--> ${file}:3:`), stderr)
  t.regex(stderr, /\n3 \| {5}1: optional Itme twin,\n {2}\| +\^/)
  t.regex(stderr, /= help: /)
  t.regex(stderr, /error: 2 mistakes; nothing was written\n$/)
  await t.throwsAsync(stat(out))
})

test('wrong usage ends with 1 and says what is wrong', async (t) => {
  t.like(await volo('build'), { code: 1, stdout: '', stderr: "error: missing required argument 'idl'\n" })
  const unknown = await volo('biuld')
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /unknown command 'biuld'\n\(Did you mean build\?\)/)
  t.is((await volo('build', item, '--i64', 'string')).code, 1)
  t.is((await volo('build', 'missing.thrift')).code, 1)
})

test('a directory that cannot be made is no reason for a stack', async (t) => {
  const { code, stderr } = await volo('build', item, '-o', join(item, 'out'))
  t.is(code, 1)
  t.regex(stderr, /^error: ENOTDIR: .*mkdir/)
  t.false(stderr.includes('    at '))
})

test('help and version go to the standard output', async (t) => {
  t.like(await volo('--version'), { code: 0, stdout: `${VERSION}\n`, stderr: '' })
  const help = await volo('--help')
  t.is(help.code, 0)
  t.regex(help.stdout, /build \[options\] <idl\.\.\.>/)
  const build = await volo('build', '--help')
  t.is(build.code, 0)
  t.regex(build.stdout, /--out <dir>[^]*--include <dir>[^]*--i64 <type>[^]*Examples:/)
})

test('colours are for terminals, unless NO_COLOR or FORCE_COLOR say otherwise', (t) => {
  const coloured = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean => coloursFor({ isTTY }, env).error('x') !== 'x'
  t.true(coloured(true, {}))
  t.false(coloured(false, {}))
  t.false(coloured(true, { NO_COLOR: '1' }))
  t.true(coloured(true, { NO_COLOR: '' }))
  t.false(coloured(true, { TERM: 'dumb' }))
  t.true(coloured(false, { FORCE_COLOR: '1' }))
  t.false(coloured(false, { FORCE_COLOR: '1', NO_COLOR: '1' }))
})

test('build takes .proto files', async (t) => {
  await using temporary = await folder()
  const out = join(temporary.path, 'volo-gen')
  const proto = fileURLToPath(new URL('../../examples/item.proto', import.meta.url))
  const { code, stderr } = await volo('build', proto, '--out', out)
  t.is(stderr, '')
  t.is(code, 0)
  t.regex(await readFile(join(out, 'item.d.ts'), 'utf8'), /ItemService/)
  const both = await volo('build', proto, item, '--out', out)
  t.is(both.code, 1)
  t.regex(both.stderr, /Thrift and Protobuf cannot be in one build/)
})
