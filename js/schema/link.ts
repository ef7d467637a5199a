/** Programs of several builds as one: what a server needs that serves services of all of them. */
import type { Program } from '../core/descriptor.js'
import type { Method, Schema, Service, Struct, Type } from './model.js'
import { schemaHash } from './program.js'

/** What has become of the programs. */
export interface Linked {
  readonly program: Program
  /** Of each program, in the order given: what is added to the indexes of its methods and services. */
  readonly bases: readonly { readonly methods: number; readonly services: number }[]
}

/** Lays the schemas one behind the other. Messages that several of them have are there several times, which costs memory only. */
export function linkPrograms(programs: readonly Program[]): Linked {
  const [first] = programs
  if (programs.length === 1) return { program: first, bases: [{ methods: 0, services: 0 }] }
  const all = new Sum()
  const bases = programs.map(({ schema }) => all.add(JSON.parse(schema) as Schema))
  const schema = all.text()
  return { program: { layout: first.layout, hash: schemaHash(schema), schema }, bases }
}

class Sum {
  readonly #files: NonNullable<Schema['files']>[number][] = []
  readonly #enums: NonNullable<Schema['enums']>[number][] = []
  readonly #structs: Struct[] = []
  readonly #methods: Method[] = []
  readonly #services: Service[] = []
  readonly #descriptors: Buffer[] = []

  add(schema: Schema): Linked['bases'][number] {
    const [file, enums, structs] = [this.#files.length, this.#enums.length, this.#structs.length]
    const base = { methods: this.#methods.length, services: this.#services.length }
    const moved = (type: Type): Type => {
      if (typeof type === 'string') return type
      if ('enum' in type) return { enum: type.enum + enums }
      if ('struct' in type) return { struct: type.struct + structs }
      if ('list' in type) return { list: moved(type.list) }
      if ('set' in type) return { set: moved(type.set) }
      return { map: [moved(type.map[0]), moved(type.map[1])] }
    }
    // A schema may leave its files out: everything is then of the first.
    const files = schema.files ?? [{ path: '', root: true }]
    this.#files.push(
      ...files.map((it) => (it.includes === undefined ? it : { ...it, includes: it.includes.map((n) => n + file) })),
    )
    this.#enums.push(...(schema.enums ?? []).map((it) => ({ ...it, file: it.file + file })))
    this.#structs.push(
      ...schema.structs.map((it) => ({
        ...it,
        file: it.file + file,
        fields: it.fields.map((field) => ({ ...field, type: moved(field.type) })),
      })),
    )
    this.#methods.push(
      ...schema.methods.map((it) => ({
        ...it,
        service: it.service + base.services,
        args: it.args + structs,
        ...(it.result === undefined ? {} : { result: it.result + structs }),
      })),
    )
    this.#services.push(
      ...schema.services.map((it) => ({
        ...it,
        file: it.file + file,
        ...(it.extends === undefined ? {} : { extends: it.extends + base.services }),
        methods: it.methods.map((n) => n + base.methods),
      })),
    )
    if (schema.descriptors !== undefined) this.#descriptors.push(Buffer.from(schema.descriptors, 'base64'))
    return base
  }

  text(): string {
    return JSON.stringify({
      files: this.#files,
      enums: this.#enums,
      structs: this.#structs,
      methods: this.#methods,
      services: this.#services,
      // One FileDescriptorSet behind another is both of them: its only field is repeated.
      descriptors: Buffer.concat(this.#descriptors).toString('base64'),
    } satisfies Schema)
  }
}
