/**
 * What generated code imports, and nothing else should: its helpers may change with every layout of the tape, together with
 * the generator.
 */
export type {
  GrpcMethodDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  Program,
  ServiceDescriptor,
  UnknownFields,
} from './descriptor.js'
export {
  cachedKey,
  changed,
  checkEmpty,
  defaults,
  define,
  isBytes,
  isFloat,
  isMapLike,
  isRecord,
  isSetLike,
  isUuid,
  keyCache,
  noCase,
  noMember,
  own,
  required,
  tooDeep,
} from './tape/checks.js'
export { absent } from './tape/errors.js'
export { missingResult, nameException } from './tape/exceptions.js'
export { checkProgram, defineProgram, explain } from '../schema/program.js'
