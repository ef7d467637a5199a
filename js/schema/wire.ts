import type { Schema } from './model.js'

/**
 * What of a schema matters on the wire: no comments, constants, typedefs or namespaces.
 * @param paths names for the files, which must not depend on where they lie.
 */
export function wireSchema(schema: Schema, paths: readonly string[]): Schema {
  return {
    ...(schema.files === undefined
      ? {}
      : {
          files: schema.files.map(({ root, includes }, index) => ({
            path: paths[index],
            root,
            ...(includes === undefined ? {} : { includes }),
          })),
        }),
    ...(schema.enums === undefined
      ? {}
      : {
          enums: schema.enums.map(({ name, file, members, annotations }) => ({
            name,
            file,
            members: members.map(({ name: member, value }) => ({ name: member, value })),
            ...(annotations === undefined ? {} : { annotations }),
          })),
        }),
    structs: schema.structs.map(({ name, file, kind, fields, annotations }) => ({
      name,
      file,
      kind,
      fields: fields.map((field) => ({
        id: field.id,
        name: field.name,
        type: field.type,
        ...(field.requiredness === undefined ? {} : { requiredness: field.requiredness }),
        ...(field.default === undefined ? {} : { default: field.default }),
        ...(field.annotations === undefined ? {} : { annotations: field.annotations }),
      })),
      ...(annotations === undefined ? {} : { annotations }),
    })),
    methods: schema.methods.map(({ name, service, oneway, args, result, annotations }) => ({
      name,
      service,
      ...(oneway === undefined ? {} : { oneway }),
      args,
      ...(result === undefined ? {} : { result }),
      ...(annotations === undefined ? {} : { annotations }),
    })),
    services: schema.services.map((service) => ({
      name: service.name,
      file: service.file,
      ...(service.extends === undefined ? {} : { extends: service.extends }),
      methods: service.methods,
      ...(service.annotations === undefined ? {} : { annotations: service.annotations }),
    })),
  }
}
