/** The command lines of the scripts that people start. */
import process from 'node:process'
import { parseArgs } from 'node:util'

/**
 * What stands on the command line. `--help` prints the usage, and an option that there is not what is wrong with it, too; both end the process.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} usage
 * @param {T} config
 */
export function parseCommandLine(usage, config) {
  if (process.argv.slice(2).includes('--help')) {
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n\n${usage}\n`)
    process.exit(2)
  }
}
