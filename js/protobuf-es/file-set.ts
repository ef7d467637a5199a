import { create, toBinary, type DescFile } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

/** The `google.protobuf.FileDescriptorSet` of a file and all it imports, in its binary form; imported files first. */
export function fileSet(root: DescFile): Uint8Array {
  const files = new Set<DescFile>()
  const visit = (file: DescFile): void => {
    if (files.has(file)) return
    for (const imported of file.dependencies) visit(imported)
    files.add(file)
  }
  visit(root)
  return toBinary(
    FileDescriptorSetSchema,
    create(FileDescriptorSetSchema, { file: [...files].map((file) => file.proto) }),
  )
}
