/** volo-js/protobuf-es: services of `@bufbuild/protobuf` (protobuf-es, version 2), which has to be installed beside. */
export { fromGenService, type AnyGenService, type MethodsOfGenService } from './from-gen-service.js'
