/** Identifiers of generated code: which names of the IDL can be had as they are, and what the others become. */

/** Words that cannot name a binding, or must not be exported: `then` would make a module look like a promise. */
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public ' +
    'return static super switch this throw true try typeof var void while with yield undefined NaN Infinity globalThis then'
  ).split(' '),
)

/** Words that cannot name a type. */
const reservedTypes = new Set('any unknown never number string boolean bigint symbol object'.split(' '))

/** Names that generated code uses itself; what the IDL calls so gets another name inside the file, and its own outside. */
const taken = new Set(
  (
    'Array BigInt Error Map Number Object Omit Promise Record Set String Symbol TextEncoder Uint8Array ' +
    'GrpcMethodDescriptor MessageDescriptor MethodDescriptor Program Readonly ReadonlyMap ServiceDescriptor UnknownFields ' +
    'program t p q s u v n k e i32 keys error failure fields'
  ).split(' '),
)
const takenPattern = /^(f|bits)\d+$/

/** What a name stands for; TypeScript keeps types and values apart, so `struct Item` and `service Item` may both be `Item`. */
export interface Space {
  readonly type: boolean
  readonly value: boolean
}

/** A name as it is exported, and as the file itself says it. */
export interface Identifier {
  readonly exported: string
  readonly local: string
}

/** Gives out names within one file. The same requests in the same order give the same names. */
export class Identifiers {
  private readonly types = new Set<string>()
  private readonly values = new Set<string>()
  private readonly internal = new Set<string>()

  /** A public name; ask for the unproblematic ones first, so that they keep theirs. */
  public(name: string, space: Space): Identifier {
    let exported = needsEscape(name, space) ? `${name}_` : name
    while (this.isUsed(exported, space)) exported += '_'
    let local = exported
    if (taken.has(local) || takenPattern.test(local)) {
      local = `${local}_`
      while (this.isUsed(local, { type: true, value: true })) local += '_'
      this.use(local, space)
    }
    this.use(exported, space)
    return { exported, local }
  }

  /** A name of the file's own; it begins with `$`, which no name of an IDL does. */
  hidden(name: string): string {
    let found = `$${name}`
    for (let count = 2; this.internal.has(found); count++) found = `$${name}$${count}`
    this.internal.add(found)
    return found
  }

  private isUsed(name: string, space: Space): boolean {
    return (space.type && this.types.has(name)) || (space.value && this.values.has(name))
  }

  private use(name: string, space: Space): void {
    if (space.type) this.types.add(name)
    if (space.value) this.values.add(name)
  }
}

/** True if a name cannot be exported as it is. */
export function needsEscape(name: string, space: Space): boolean {
  return reserved.has(name) || (space.type && reservedTypes.has(name))
}
