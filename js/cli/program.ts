import { Command, CommanderError } from 'commander'
import { VERSION } from '../build/version.js'
import { VoloError } from '../core/errors.js'
import { IdlError, renderMistake } from '../schema/idl-error.js'
import { buildCommand } from './build-command.js'
import { coloursFor } from './colours.js'
import type { Output } from './output.js'

/**
 * Runs the command line.
 * @param args what follows the program's name.
 * @returns the exit code: 0 if all went well, 1 if not.
 */
export async function run(args: readonly string[], output: Output): Promise<number> {
  const program = new Command('volo')
    .description('RPC for Node: code from IDL for volo-js.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
  program.addCommand(buildCommand(output))
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void output.stdout.write(text),
      writeErr: (text) => void output.stderr.write(text),
    })
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    // Commander has said what it had to say; asking for help is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    output.stderr.write(`${explain(error, output)}\n`)
    return 1
  }
}

/** What went wrong, for people. */
function explain(error: unknown, output: Output): string {
  const colours = coloursFor(output.stderr)
  if (error instanceof IdlError) {
    const { mistakes } = error
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`
    const rendered = mistakes.map((mistake) => renderMistake(mistake, colours))
    return [...rendered, `${colours.error('error')}${colours.strong(`: ${count}; nothing was written`)}`].join('\n\n')
  }
  // Errors of the system (a directory that cannot be written) and of this package say what they mean; others need their stack.
  const isExpected = VoloError.is(error) || (error instanceof Error && 'syscall' in error)
  const text = error instanceof Error ? ((isExpected ? undefined : error.stack) ?? error.message) : String(error)
  return `${colours.error('error')}${colours.strong(`: ${text}`)}`
}
