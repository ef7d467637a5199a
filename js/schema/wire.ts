import type { Field, Schema } from './model.js'

/**
 * What of a schema matters on the wire: no comments, constants, typedefs or namespaces.
 * @param paths names for the files, which must not depend on where they lie.
 */
export function wireSchema(schema: Schema, paths: readonly string[]): Schema {
  return {
    ...(schema.files === undefined
      ? {}
      : {
          files: schema.files.map(({ root, includes, package: its }, index) => ({
            path: paths[index],
            root,
            ...(its === undefined ? {} : { package: its }),
            ...(includes === undefined ? {} : { includes }),
          })),
        }),
    ...(schema.enums === undefined
      ? {}
      : {
          enums: schema.enums.map(({ name, file, members, closed, annotations }) => ({
            name,
            file,
            members: members.map(({ name: member, value }) => ({ name: member, value })),
            ...(closed === undefined ? {} : { closed }),
            ...(annotations === undefined ? {} : { annotations }),
          })),
        }),
    structs: schema.structs.map(({ name, file, kind, fields, keep_unknown: keeps, oneofs, annotations }) => ({
      name,
      file,
      kind,
      fields: fields.map((field) => ({
        id: field.id,
        name: field.name,
        type: field.type,
        ...(field.requiredness === undefined ? {} : { requiredness: field.requiredness }),
        ...(field.default === undefined ? {} : { default: field.default }),
        ...protobufPart(field),
        ...(field.annotations === undefined ? {} : { annotations: field.annotations }),
      })),
      ...(keeps === undefined ? {} : { keep_unknown: keeps }),
      ...(oneofs === undefined ? {} : { oneofs }),
      ...(annotations === undefined ? {} : { annotations }),
    })),
    methods: schema.methods.map(({ name, service, oneway, args, result, annotations, ...streaming }) => ({
      name,
      service,
      ...(oneway === undefined ? {} : { oneway }),
      ...(streaming.client_streaming === undefined ? {} : { client_streaming: streaming.client_streaming }),
      ...(streaming.server_streaming === undefined ? {} : { server_streaming: streaming.server_streaming }),
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
    ...(schema.descriptors === undefined ? {} : { descriptors: schema.descriptors }),
  }
}

/** What only fields of Protobuf have. */
function protobufPart({ packed, delimited, unchecked_utf8, oneof, json_name }: Field): Partial<Field> {
  return {
    ...(packed === undefined ? {} : { packed }),
    ...(delimited === undefined ? {} : { delimited }),
    ...(unchecked_utf8 === undefined ? {} : { unchecked_utf8 }),
    ...(oneof === undefined ? {} : { oneof }),
    ...(json_name === undefined ? {} : { json_name }),
  }
}
