/** volo-js/thrift: everything a Thrift service needs, from one import. */
export * from '../index.js'
