/** What tests of generated code have in common: golden files, folders to run it in, and the compiler as a judge. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import ts from 'typescript'
import type { Schema } from '../schema/model.js'
import { generate, type GenerateOptions } from './generate.js'
import { VERSION } from './version.js'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const golden = join(root, 'js/build/golden')

/** Inside of the package, for generated code imports it by its name. */
const scratch = join(root, 'dist/generated-by-tests', String(process.pid))

/** A generated file. */
export interface Named {
  readonly name: string
  readonly text: string
}

/** What the generator makes of a schema, without the package's version, which changes. */
export function named(schema: Schema, options?: GenerateOptions): Named[] {
  return generate(schema, options).map(({ name, text }) => ({ name, text: text.replaceAll(VERSION, '<version>') }))
}

/** Compares files with those of a golden folder; `UPDATE_GOLDEN` in the environment puts them there. */
export async function matchesGolden(t: ExecutionContext, name: string, generated: readonly Named[]): Promise<void> {
  const folder = join(golden, name)
  if (process.env.UPDATE_GOLDEN !== undefined) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    await Promise.all(generated.map((file) => writeFile(join(folder, `${file.name}.golden`), file.text)))
  }
  t.deepEqual(
    (await readdir(folder)).sort(),
    generated.map((file) => `${file.name}.golden`).sort(),
    'set UPDATE_GOLDEN=1 if the change is meant',
  )
  for (const file of generated) {
    t.is(
      file.text,
      await readFile(join(folder, `${file.name}.golden`), 'utf8'),
      `${file.name}; UPDATE_GOLDEN=1 if meant`,
    )
  }
}

/** Writes what the generator makes of a schema into a folder of its own. */
export async function writeGenerated(schema: Schema, folder: string, options?: GenerateOptions): Promise<string> {
  const path = join(scratch, folder)
  await mkdir(path, { recursive: true })
  await Promise.all(generate(schema, options).map(({ name, text }) => writeFile(join(path, name), text)))
  return path
}

/** What the compiler says of the expectations of `golden`, laid beside generated code. */
export async function mistakesIn(folder: string, expectations: string): Promise<string[]> {
  const file = join(folder, 'expectations.ts')
  await writeFile(file, await readFile(join(golden, `${expectations}.golden`), 'utf8'))
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    // Off, so that declarations are checked as well.
    skipLibCheck: false,
  })
  // Declarations of the package's own dependencies are not ours to judge.
  return ts
    .getPreEmitDiagnostics(program)
    .filter((it) => it.file === undefined || !it.file.fileName.includes('node_modules'))
    .map((it) => `${it.file?.fileName ?? ''} ${ts.flattenDiagnosticMessageText(it.messageText, '\n')}`)
}

test.after.always(() => rm(scratch, { recursive: true, force: true }))
