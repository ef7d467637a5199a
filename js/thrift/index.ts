/** volo-js/thrift: everything a Thrift service needs, from one import. */
export * from '../index.js'
export { IdlError, type IdlMistake } from '../schema/idl-error.js'
export type { GenericMessage, GenericService, LoadThriftOptions } from '../schema/load.js'
export { exceptionsOf, loadThrift } from './load.js'
