/** A build as a whole: which file holds what, under which name. */
import { withoutPackage } from '../schema/message.js'
import type { File, Int64, Schema } from '../schema/model.js'
import { camelCase } from '../schema/names.js'
import { isProtobuf, recursiveStructs } from '../schema/types.js'
import { Identifiers, needsEscape, type Identifier, type Space } from './identifiers.js'

/** A thing of the IDL that a file exports. */
export interface Entity {
  readonly kind:
    | 'struct'
    | 'union'
    | 'exception'
    | 'enum'
    | 'typedef'
    | 'const'
    | 'service'
    | 'message'
    /** What a message may be when it is written. */
    | 'messageInit'
    /** A message's descriptor. */
    | 'messageSchema'
  /** Index into the schema's array of its kind. */
  readonly index: number
  readonly name: Identifier
  readonly space: Space
}

/** A generated file: one IDL file. */
export interface Module {
  /** Index into the schema's files. */
  readonly file: number
  /** Name of the generated file, without extension. */
  readonly base: string
  /** The IDL file, as short as it is unambiguous. */
  readonly source: string
  readonly root: boolean
  readonly entities: readonly Entity[]
  readonly identifiers: Identifiers
}

const TYPE: Space = { type: true, value: false }
const VALUE: Space = { type: false, value: true }
const BOTH: Space = { type: true, value: true }

/** Entities that are a struct itself. */
const structKinds: ReadonlySet<Entity['kind']> = new Set(['struct', 'union', 'exception', 'message'])

/** Names of files that are not made from one IDL file. */
const ownFiles = ['schema', 'index']

/** Everything the printers of files ask. */
export class Project {
  readonly modules: readonly Module[]
  readonly recursive: ReadonlySet<number>
  private readonly structs = new Map<number, [Module, Entity]>()
  private readonly inits = new Map<number, [Module, Entity]>()
  private readonly schemas = new Map<number, [Module, Entity]>()
  private readonly enums = new Map<number, [Module, Entity]>()

  constructor(
    readonly schema: Schema,
    readonly int64: Int64,
  ) {
    this.modules = makeModules(schema)
    this.recursive = recursiveStructs(schema)
    for (const module of this.modules) {
      for (const entity of module.entities) {
        if (entity.kind === 'enum') this.enums.set(entity.index, [module, entity])
        if (entity.kind === 'messageInit') this.inits.set(entity.index, [module, entity])
        if (entity.kind === 'messageSchema') this.schemas.set(entity.index, [module, entity])
        if (structKinds.has(entity.kind)) this.structs.set(entity.index, [module, entity])
      }
    }
  }

  /** The file and name of a struct. */
  struct(index: number): [Module, Entity] {
    return found(this.structs.get(index), 'struct', index)
  }

  /** The file and name of what a message may be when it is written. */
  messageInit(index: number): [Module, Entity] {
    return found(this.inits.get(index), 'message', index)
  }

  /** The file and name of a message's descriptor. */
  messageSchema(index: number): [Module, Entity] {
    return found(this.schemas.get(index), 'message', index)
  }

  /** The file and name of an enum. */
  enum(index: number): [Module, Entity] {
    return found(this.enums.get(index), 'enum', index)
  }

  /** The file that holds a method: its service's. */
  moduleOfMethod(index: number): Module {
    return this.modules[this.schema.services[this.schema.methods[index].service].file]
  }

  /** JavaScript name of a method. */
  methodName(index: number): string {
    return camelCase(this.schema.methods[index].name)
  }
}

/** A name of Protobuf, `Outer.Inner`, as one word. */
export function scriptName(name: string): string {
  return name.replaceAll('.', '_')
}

function found<T>(value: T | undefined, what: string, index: number): T {
  if (value === undefined) throw new RangeError(`the schema has no ${what} ${index}`)
  return value
}

function makeModules(schema: Schema): Module[] {
  // A schema made by hand may leave its files out.
  const files: readonly File[] = schema.files ?? [{ path: 'schema.thrift', root: true }]
  const sources = shortestPaths(files.map((file) => file.path))
  const bases = moduleNames(sources)
  return files.map((file, index) => {
    const identifiers = new Identifiers()
    return {
      file: index,
      base: bases[index],
      source: sources[index],
      root: file.root,
      entities: entitiesOf(schema, index, identifiers),
      identifiers,
    }
  })
}

/** The shortest ends of paths that tell them apart, so that generated code does not depend on where it was built. */
function shortestPaths(paths: readonly string[]): string[] {
  const split = paths.map((path) => path.split(/[/\\]/).filter((part) => part !== '' && part !== '.'))
  return split.map((parts, index) => {
    for (let count = 1; count < parts.length; count++) {
      const end = parts.slice(-count).join('/')
      const others = split.filter((other, at) => at !== index && other.slice(-count).join('/') === end)
      if (others.length === 0) return end
    }
    return parts.join('/')
  })
}

function moduleNames(sources: readonly string[]): string[] {
  const used = new Set(ownFiles)
  return sources.map((source) => {
    const plain = source
      .replace(/\.[^./]*$/, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
    let base = plain === '' ? 'idl' : plain
    while (used.has(base.toLowerCase())) base += '_'
    used.add(base.toLowerCase())
    return base
  })
}

function entitiesOf(schema: Schema, file: number, identifiers: Identifiers): Entity[] {
  const wanted: { kind: Entity['kind']; index: number; name: string; space: Space }[] = []
  const protobuf = isProtobuf(schema)
  const nameOf = (name: string): string => (protobuf ? scriptName(withoutPackage(schema, name, file)) : name)
  schema.enums?.forEach((it, index) => {
    if (it.file === file) wanted.push({ kind: 'enum', index, name: nameOf(it.name), space: BOTH })
  })
  schema.structs.forEach((it, index) => {
    if (it.file !== file || it.kind === 'args' || it.kind === 'result' || it.kind === 'opaque') return
    const name = nameOf(it.name)
    wanted.push({ kind: it.kind, index, name, space: it.kind === 'exception' ? BOTH : TYPE })
    if (it.kind !== 'message') return
    wanted.push({ kind: 'messageInit', index, name: `${name}Init`, space: TYPE })
    wanted.push({ kind: 'messageSchema', index, name: `${name}Schema`, space: VALUE })
  })
  schema.typedefs?.forEach((it, index) => {
    if (it.file === file) wanted.push({ kind: 'typedef', index, name: it.name, space: TYPE })
  })
  schema.consts?.forEach((it, index) => {
    if (it.file === file) wanted.push({ kind: 'const', index, name: it.name, space: VALUE })
  })
  schema.services.forEach((it, index) => {
    if (it.file === file) wanted.push({ kind: 'service', index, name: nameOf(it.name), space: VALUE })
  })
  // Names that can stay get their pick first, those that no IDL gave theirs last.
  const names = new Map<(typeof wanted)[number], Identifier>()
  const rank = ({ kind, name, space }: (typeof wanted)[number]): number =>
    (kind === 'messageInit' || kind === 'messageSchema' ? 2 : 0) + (needsEscape(name, space) ? 1 : 0)
  for (const entity of wanted.toSorted((a, b) => rank(a) - rank(b))) {
    names.set(entity, identifiers.public(entity.name, entity.space))
  }
  return wanted.map((entity) => {
    const { kind, index, space } = entity
    return { kind, index, space, name: found(names.get(entity), kind, index) }
  })
}
