import { addon } from '../core/addon.js'
import { IdlError, type IdlMistake } from './idl-error.js'
import type { Schema } from './model.js'

/**
 * Reads Thrift IDL.
 * @param files the roots; what they include is searched beside the including file, then in `includeDirs`.
 * @throws IdlError with every mistake found.
 */
export function parseThrift(files: readonly string[], includeDirs: readonly string[] = []): Schema {
  return schemaOf(addon().parseThrift([...files], [...includeDirs]))
}

/**
 * Reads Protobuf IDL: proto2, proto3 and edition 2023.
 * @param files the roots; what they import is searched in `includeDirs`, then in the directories of the roots, then in the working directory.
 * The well-known types of `google/protobuf/` are there without being anywhere.
 * @throws IdlError with every mistake found.
 */
export function parseProto(files: readonly string[], includeDirs: readonly string[] = []): Schema {
  return schemaOf(addon().parseProto([...files], [...includeDirs]))
}

/**
 * Reads a `google.protobuf.FileDescriptorSet` in its binary form, as `protoc --include_imports --descriptor_set_out` writes it.
 * @throws IdlError with the first contradiction; its `file` is the one of the set, and it has no line.
 */
export function parseDescriptorSet(set: Uint8Array): Schema {
  return schemaOf(addon().parseDescriptorSet(set))
}

/**
 * Reads IDL files of either kind, told apart by their names: `.proto` is Protobuf, everything else Thrift.
 * @throws IdlError with every mistake found, or if there are files of both.
 */
export function parseIdl(files: readonly string[], includeDirs: readonly string[] = []): Schema {
  const isProto = (file: string): boolean => file.endsWith('.proto')
  if (!files.some(isProto)) return parseThrift(files, includeDirs)
  const other = files.find((file) => !isProto(file))
  if (other === undefined) return parseProto(files, includeDirs)
  throw new IdlError([
    {
      file: other,
      line: 1,
      column: 1,
      message: 'Thrift and Protobuf cannot be in one build',
      source: '',
      hint: 'build the .proto files on their own, into another directory',
    },
  ])
}

function schemaOf(json: string): Schema {
  const answer = JSON.parse(json) as { schema: Schema } | { errors: IdlMistake[] }
  if ('errors' in answer) throw new IdlError(answer.errors)
  return answer.schema
}
