/** `volo-js/build`: code from IDL, for scripts that do more than the command `volo build`. */
export { build, type BuildOptions, type BuiltFile } from './build.js'
export { generate, type GeneratedFile, type GenerateOptions } from './generate.js'
export { parseDescriptorSet, parseIdl, parseProto, parseThrift } from '../schema/parse.js'
export { IdlError, type IdlMistake } from '../schema/idl-error.js'
export type {
  Annotations,
  Const,
  Enum,
  EnumMember,
  Field,
  File,
  Int64,
  Method,
  Requiredness,
  Scalar,
  Schema,
  Service,
  Struct,
  StructKind,
  Type,
  Typedef,
  Value,
} from '../schema/model.js'
