import { Kind } from '../core/tape/layout.js'
import { OutTape } from '../core/tape/writer.js'
import { Interpreter } from './interpret.js'
import type { Int64, Schema } from './model.js'
import type { Part } from './program.js'

/** Finds the path of a wrong value; made when the first one is met. */
export class Explainer {
  readonly interpreter: Interpreter

  constructor(schema: string, int64: Int64) {
    this.interpreter = new Interpreter(JSON.parse(schema) as Schema, int64)
  }

  /** What writing the value throws, with the whole path; nothing if it throws nothing this time. */
  explain(index: number, part: Part, value: unknown): unknown {
    const scratch = new OutTape(() => undefined, { slots: 256, text: 0, bytes: 256 })
    scratch.open(Kind.CALL, 0, 0, 0, 0)
    try {
      if (part === 'message') this.interpreter.messageWriter(index)(scratch, value)
      else if (part === 'args') this.interpreter.method(index).writeArgs(scratch, value)
      else if (part === 'result') this.interpreter.method(index).writeResult(scratch, value)
      else this.interpreter.exceptionWriter(this.interpreter.schema.methods[index], part)(scratch, value)
    } catch (error) {
      return error
    }
    return undefined
  }
}
