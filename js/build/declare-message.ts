/** Declarations of Protobuf messages: what readers give, what writers take, and the descriptor that knows both. */
import { absenceOf, isOneof, propertiesOf, type MessageOneof } from '../schema/message.js'
import type { Annotations, Field, Struct, Type } from '../schema/model.js'
import { docComment, indented, memberName, quote } from './text.js'

/** Prints a type as it is read, or as it may be given to be written. */
export type PrintType = (type: Type) => string

/** `export interface Item extends UnknownFields {…}`: a message as readers give it. */
export function messageInterface(head: string, struct: Struct, print: PrintType): string[] {
  const members = propertiesOf(struct).flatMap((property) => {
    const name = memberName(property.name)
    if (isOneof(property)) return [`${name}:${oneofType(property, print, '{ case: undefined; value?: undefined }')}`]
    const { field } = property
    // A message is undefined while it is absent, and so is what has presence and no default.
    const optional = absenceOf(field) === 'undefined'
    const type = print(field.type)
    return [...fieldDoc(field), optional ? `${name}?: ${type} | undefined` : `${name}: ${type}`]
  })
  return block(head, struct, members)
}

/** `export interface ItemInit extends UnknownFields {…}`: a message as it may be written; what would be zero may be left out. */
export function messageInit(head: string, struct: Struct, print: PrintType): string[] {
  const members = propertiesOf(struct).flatMap((property) => {
    const name = memberName(property.name)
    if (isOneof(property)) {
      return [`${name}?:${oneofType(property, print, '{ case?: undefined; value?: undefined }', 'undefined')}`]
    }
    const { field } = property
    const type = print(field.type)
    return [
      ...fieldDoc(field),
      field.requiredness === 'required' ? `${name}: ${type}` : `${name}?: ${type} | undefined`,
    ]
  })
  return block(head, struct, members)
}

function block(head: string, struct: Struct, members: readonly string[]): string[] {
  const first = `${head} extends UnknownFields {`
  const doc = docComment(withDeprecation(struct.doc, struct.annotations))
  return [...doc, ...(members.length === 0 ? [`${first}}`] : [first, ...indented(members), '}'])]
}

/** Cases of a oneof, and what it is when none is set. */
function oneofType({ members }: MessageOneof, print: PrintType, ...none: readonly string[]): string {
  const cases = members.flatMap(({ name, field }) => [
    ...fieldDoc(field, '  '),
    `  | { case: ${quote(name)}; value: ${print(field.type)} }`,
  ])
  return ['', ...cases, ...none.map((type) => `  | ${type}`)].join('\n')
}

function fieldDoc(field: Field, indent = ''): string[] {
  return docComment(withDeprecation(field.doc, field.annotations), indent)
}

/** A comment that says so if the IDL calls the thing deprecated. */
export function withDeprecation(doc: string | undefined, annotations: Annotations | undefined): string | undefined {
  if (annotations?.deprecated !== 'true' || doc?.includes('@deprecated') === true) return doc
  return doc === undefined || doc === '' ? '@deprecated' : `${doc}\n@deprecated`
}
