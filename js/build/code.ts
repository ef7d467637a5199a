/** The code of one generated file while it is being written. */
import type { Type } from '../schema/model.js'
import { kindOf, structName } from '../schema/types.js'
import { scriptName, type Module, type Project } from './project.js'

/** A name that another generated file gives to this one. */
export interface Import {
  readonly from: Module
  readonly imported: string
  readonly local: string
}

/**
 * Collects the parts of a file: what it takes from others, its functions, what it gives to others.
 *
 * Functions are asked for by what they do; the first request writes them, so a file holds only what is used.
 */
export class Code {
  /** Top-level code, in blocks separated by blank lines. */
  readonly blocks: string[][] = []
  private readonly functions = new Map<string, string>()
  private readonly imports = new Map<string, Import>()
  private readonly exports = new Map<string, string>()

  constructor(
    readonly project: Project,
    readonly module: Module,
    private readonly codeOf: (module: Module) => Code,
  ) {}

  /**
   * The local name of the function that does `key`, written by `write` at the first request.
   * @param wish the name it gets if nothing else has it.
   */
  function(key: string, wish: string, write: (name: string) => string[]): string {
    let name = this.functions.get(key)
    if (name === undefined) {
      name = this.module.identifiers.hidden(wish)
      // Known before it is written: a struct may contain itself.
      this.functions.set(key, name)
      this.blocks.push(write(name))
    }
    return name
  }

  /** The local name of something that `request` finds in the code of another file (or of this one). */
  from(module: Module, wish: string, request: (code: Code) => string): string {
    const code = this.codeOf(module)
    const imported = request(code)
    if (code === this) return imported
    code.exports.set(imported, imported)
    const key = `${module.base} ${imported}`
    let found = this.imports.get(key)
    if (found === undefined) {
      found = { from: module, imported, local: this.module.identifiers.hidden(wish) }
      this.imports.set(key, found)
    }
    return found.local
  }

  /** The local name of an exception's class. */
  exceptionClass(struct: number): string {
    const [module, entity] = this.project.struct(struct)
    if (module === this.module) return entity.name.local
    return this.import(module, entity.name.exported)
  }

  /** The local name of a message's descriptor. */
  messageSchema(struct: number): string {
    const [module, entity] = this.project.messageSchema(struct)
    return module === this.module ? entity.name.local : this.import(module, entity.name.exported)
  }

  /** The local name of a public export of another file. */
  import(module: Module, exported: string): string {
    const key = `${module.base} ${exported}`
    let found = this.imports.get(key)
    if (found === undefined) {
      found = { from: module, imported: exported, local: this.module.identifiers.hidden(exported) }
      this.imports.set(key, found)
    }
    return found.local
  }

  /** Exports a local name. */
  export(local: string, exported: string): void {
    this.exports.set(exported, local)
  }

  /** What the file takes from others, by file, in a stable order. */
  get allImports(): (readonly [Module, readonly Import[]])[] {
    const all = [...this.imports.values()]
    return this.project.modules.flatMap((module) => {
      const those = all.filter((it) => it.from === module).sort((a, b) => (a.imported < b.imported ? -1 : 1))
      return those.length === 0 ? [] : [[module, those] as const]
    })
  }

  /** What the file gives to others: exported name and local name. */
  get allExports(): (readonly [exported: string, local: string])[] {
    return [...this.exports].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** A part of a function's name that tells types apart to a reader: `ListOfItem`, `MapOfStringToI64`. */
  nameOf(type: Type): string {
    const { schema } = this.project
    if (typeof type === 'string') return type[0].toUpperCase() + type.slice(1)
    if ('enum' in type) return this.project.enum(type.enum)[1].name.exported
    if ('struct' in type) return scriptName(structName(schema, type.struct))
    if ('list' in type) return `ListOf${this.nameOf(type.list)}`
    if ('set' in type) return `SetOf${this.nameOf(type.set)}`
    return `${kindOf(schema, type) === 'map' ? 'Map' : 'Record'}Of${this.nameOf(type.map[0])}To${this.nameOf(type.map[1])}`
  }
}

/** A slot in generated code: a variable and a constant distance. */
export class Slot {
  constructor(
    private readonly base: string,
    private readonly distance = 0,
  ) {}

  /** The slot's number. */
  toString(): string {
    return this.distance === 0 ? this.base : `${this.base} + ${this.distance}`
  }

  /** Index of its low half in `i32`, or of the half `further` on. */
  half(further = 0): string {
    const distance = 2 * this.distance + further
    return distance === 0 ? `2 * ${this.base}` : `2 * ${this.base} + ${distance}`
  }

  /** The slot `count` further on. */
  plus(count: number): Slot {
    return new Slot(this.base, this.distance + count)
  }
}
