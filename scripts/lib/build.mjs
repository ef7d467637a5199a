/** Builds, which the machine may spoil. */
import process from 'node:process'

import { machineFault, room, spaceIsShort } from './machine.mjs'
import { Failure, run } from './process.mjs'

/**
 * Runs a build. Where a signal ended a compiler or a linker, once more; cargo and Go go on where it happened. What the machine did is at the end
 * of the output, with the space that it has.
 * @param {import('./process.mjs').Command} command
 * @param {Parameters<typeof run>[1]} [options]
 * @returns {Promise<Awaited<ReturnType<typeof run>> & { remark: string }>} `remark`: that it was run once more, and why
 */
export async function build(command, options) {
  const first = await run(command, options)
  const fault = first.code === 0 ? undefined : machineFault(first.output)
  if (!fault?.bySignal) return { ...first, output: withReason(first, fault), remark: '' }
  const remark = `built once more: ${fault.what}; ${room()}`
  const second = await run(command, options)
  return { ...second, output: withReason(second, machineFault(second.output)), remark }
}

/**
 * @param {{ code: number, output: string }} result
 * @param {ReturnType<typeof machineFault>} fault
 */
function withReason({ code, output }, fault) {
  if (code === 0) return output
  const reason = fault?.bySignal
    ? `${fault.what}: that is the machine's doing, not the code's. It has ${room()}.`
    : spaceIsShort(output)
  return reason === '' ? output : `${output.trimEnd()}\n${reason}\n`
}

/**
 * Runs a build and fails with its output if it does. Where it was run once more, that is said on standard error.
 * @param {import('./process.mjs').Command} command
 * @param {Parameters<typeof run>[1]} [options]
 */
export async function mustBuild(command, options) {
  const result = await build(command, options)
  if (result.remark !== '') process.stderr.write(`${result.remark}\n`)
  if (result.code !== 0) {
    throw new Failure(`${[command.command, ...command.args].join(' ')} failed with exit code ${result.code}.`, {
      output: result.output,
    })
  }
  return result
}
