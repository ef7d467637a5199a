import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Int64 } from '../schema/model.js'
import { parseIdl } from '../schema/parse.js'
import { generate } from './generate.js'

/** Options of {@link build}. */
export interface BuildOptions {
  /** Output directory, made if it is not there. Default `volo-gen`. */
  readonly out?: string
  /** Directories searched for included files: Thrift's after that of the including file, Protobuf's before those of the files given. */
  readonly includeDirs?: readonly string[]
  /** How 64-bit integers appear. Default `bigint`. */
  readonly i64?: Int64
  /**
   * Thrift: structs, unions and exceptions keep the fields that the IDL does not know, in `$unknown`, and they are written back. Default false: they
   * are passed over. Messages of Protobuf always keep theirs.
   */
  readonly keepUnknown?: boolean
}

/** What {@link build} did with one file. */
export interface BuiltFile {
  /** Path of the file: the output directory and its name. */
  readonly path: string
  /** False if the file had this text already; it is not touched then. */
  readonly written: boolean
}

/**
 * Generates code from Thrift or Protobuf IDL, as the command `volo build` does.
 * @param files IDL files, `.proto` ones or Thrift's but not both; what they include is generated, too.
 * @returns the files of the output directory, in the order of the IDL.
 * @throws IdlError with every mistake found; nothing is written then.
 * @example
 * await build(['idl/item.thrift'], { out: 'src/volo-gen' })
 */
export async function build(files: readonly string[], options: BuildOptions = {}): Promise<BuiltFile[]> {
  const { out = 'volo-gen', includeDirs = [], i64 = 'bigint', keepUnknown = false } = options
  const generated = generate(parseIdl(files, includeDirs), { i64, keepUnknown })
  await mkdir(out, { recursive: true })
  return Promise.all(
    generated.map(async ({ name, text }) => {
      const path = join(out, name)
      const written = (await textOf(path)) !== text
      if (written) await writeFile(path, text)
      return { path, written }
    }),
  )
}

/** The text of a file; nothing if there is none. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
