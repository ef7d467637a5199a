import { Command, Option } from 'commander'
import { build, type BuildOptions } from '../build/build.js'
import { coloursFor } from './colours.js'
import type { Output } from './output.js'

/** Options as commander names them. */
interface Flags {
  readonly out: string
  readonly include?: readonly string[]
  readonly i64: 'bigint' | 'number'
  readonly keepUnknown?: boolean
}

/** `volo build`. */
export function buildCommand(output: Output): Command {
  return new Command('build')
    .summary('generate code from Thrift or Protobuf IDL')
    .description(
      'Generates JavaScript with TypeScript declarations from Thrift or Protobuf IDL and everything it includes.',
    )
    .argument('<idl...>', 'IDL files: .proto is Protobuf, others are Thrift; one build is of one kind')
    .option('-o, --out <dir>', 'output directory', 'volo-gen')
    .option('-I, --include <dir>', 'search included files here, too; may be repeated', collect)
    .addOption(
      new Option('--i64 <type>', '64-bit integers as bigint, or as number, which refuses what it cannot say exactly')
        .choices(['bigint', 'number'])
        .default('bigint'),
    )
    .option('--keep-unknown', 'Thrift: structs keep the fields that the IDL does not know, and write them back')
    .addHelpText(
      'after',
      '\nExamples:\n  volo build idl/item.thrift --out src/volo-gen\n  volo build idl/item.proto --include idl/common',
    )
    .action(async (files: string[], { out, include = [], i64, keepUnknown = false }: Flags) => {
      const options: BuildOptions = { out, includeDirs: include, i64, keepUnknown }
      const { good, faint } = coloursFor(output.stdout)
      const built = await build(files, options)
      for (const { path, written } of built) {
        output.stdout.write(written ? `${good('wrote')}     ${path}\n` : `${faint(`unchanged ${path}`)}\n`)
      }
    })
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
