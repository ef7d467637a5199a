/** The generator: a schema goes in, the files of `volo-gen` come out. The same schema gives the same bytes. */
import { LAYOUT_VERSION } from '../core/tape/layout.js'
import { keepUnknown } from '../schema/keep-unknown.js'
import type { Int64, Schema } from '../schema/model.js'
import { schemaHash } from '../schema/program.js'
import { wireSchema } from '../schema/wire.js'
import { Code } from './code.js'
import { needsEscape } from './identifiers.js'
import { Declarations } from './declare.js'
import { printMessageSchema } from './print-message.js'
import { printConst, printService } from './print-service.js'
import { printEnum, printException } from './print-types.js'
import { Project, type Entity, type Module } from './project.js'
import { indented, literalKey, quote } from './text.js'
import { VERSION } from './version.js'

/** Options of {@link generate}. */
export interface GenerateOptions {
  /** How 64-bit integers appear in JavaScript. Default `bigint`; `number` refuses what it cannot say exactly. */
  readonly i64?: Int64
  /**
   * Thrift: structs, unions and exceptions keep the fields that the IDL does not know, in `$unknown`, and they are written back. Default false: they
   * are passed over. Messages of Protobuf always keep theirs.
   */
  readonly keepUnknown?: boolean
}

/** One file of the output. */
export interface GeneratedFile {
  /** Name in the output directory. */
  readonly name: string
  readonly text: string
}

/** Generates modules and their declarations. */
export function generate(schema: Schema, options: GenerateOptions = {}): GeneratedFile[] {
  const project = new Project(options.keepUnknown === true ? keepUnknown(schema) : schema, options.i64 ?? 'bigint')
  const wire = wireOf(project)
  const hash = schemaHash(wire)
  const codes = writeCode(project)
  return [
    ...project.modules.flatMap((module, index) => [
      file(`${module.base}.js`, module.source, moduleLines(codes[index], hash)),
      file(`${module.base}.d.ts`, module.source, new Declarations(project, module).print()),
    ]),
    file('schema.js', allSources(project), schemaLines(project, wire, hash)),
    file('schema.d.ts', allSources(project), [
      "import type { Program } from 'volo-js/generated'",
      '',
      '/** The schema that the files beside this one were generated from. */',
      'export declare const program: Program',
    ]),
    file('index.js', allSources(project), indexLines(project, 'values')),
    file('index.d.ts', allSources(project), indexLines(project, 'all')),
  ]
}

/** A thing that a script exports: from which of its files, under which name, and what the IDL calls it. */
export interface ScriptExport {
  readonly file: number
  readonly exported: string
  readonly name: string
}

/** One script instead of modules, for IDL that is loaded while the program runs. */
export interface GeneratedScript {
  /** A function of the runtime and the program, which gives the exports of every file. */
  readonly text: string
  /** In the order of the schema. */
  readonly services: readonly ScriptExport[]
  readonly exceptions: readonly ScriptExport[]
  /** Descriptors of messages. */
  readonly messages: readonly ScriptExport[]
}

/** Generates a script. */
export function generateScript(schema: Schema, options: Pick<GenerateOptions, 'i64'> = {}): GeneratedScript {
  const project = new Project(schema, options.i64 ?? 'bigint')
  const variable = (module: Module): string => `$file${module.file}`
  const parts = inOrder(writeCode(project)).flatMap((code) => {
    const imports = code.allImports.flatMap(([from, names]) =>
      names.map(({ imported, local }) => `const ${local} = ${variable(from)}[${quote(imported)}]`),
    )
    const exports = code.allExports.map(([exported, local]) => `${literalKey(exported)}: ${local},`)
    return [
      `// ${code.module.source}`,
      `const ${variable(code.module)} = (() => {`,
      ...imports,
      ...code.blocks.flat(),
      'return {',
      ...exports,
      '}',
      '})()',
    ]
  })
  const body = ["'use strict'", ...parts, `return [${project.modules.map(variable).join(', ')}]`]
  const exportsOf = (kind: Entity['kind'], names: readonly { readonly name: string }[]): ScriptExport[] =>
    project.modules
      .flatMap((module) =>
        module.entities.filter((entity) => entity.kind === kind).map((entity) => ({ module, entity })),
      )
      .sort((a, b) => a.entity.index - b.entity.index)
      .map(({ module, entity }) => ({
        file: module.file,
        exported: entity.name.exported,
        name: names[entity.index].name,
      }))
  return {
    text: ['($, $program) => {', ...body, '}', ''].join('\n'),
    services: exportsOf('service', schema.services),
    exceptions: exportsOf('exception', schema.structs),
    messages: exportsOf('messageSchema', schema.structs),
  }
}

/** The wire schema as the JSON that a program carries. */
export function wireText(schema: Schema): string {
  return wireOf(new Project(schema, 'bigint'))
}

function wireOf(project: Project): string {
  return JSON.stringify(
    wireSchema(
      project.schema,
      project.modules.map((module) => module.source),
    ),
  )
}

/** Files in an order in which each comes after those it imports from; IDL includes have no cycles. */
function inOrder(codes: readonly Code[]): Code[] {
  const ordered = new Set<Code>()
  const visit = (code: Code): void => {
    if (ordered.has(code)) return
    for (const [from] of code.allImports) codes.filter((other) => other.module === from).forEach(visit)
    ordered.add(code)
  }
  codes.forEach(visit)
  return [...ordered]
}

/** Writes the code of all files. */
function writeCode(project: Project): Code[] {
  const codes = new Map<Module, Code>()
  const codeOf = (module: Module): Code => {
    let code = codes.get(module)
    if (code === undefined) {
      code = new Code(project, module, codeOf)
      codes.set(module, code)
    }
    return code
  }
  for (const kind of ['enum', 'exception', 'const', 'messageSchema', 'service'] as const) {
    for (const module of project.modules) {
      const code = codeOf(module)
      for (const entity of module.entities) {
        if (entity.kind !== kind) continue
        if (kind === 'enum') code.blocks.push(printEnum(project, entity))
        else if (kind === 'exception') code.blocks.push(printException(project, entity))
        else if (kind === 'const') code.blocks.push(printConst(code, entity))
        else if (kind === 'messageSchema') code.blocks.push(printMessageSchema(code, entity))
        else code.blocks.push(printService(code, entity))
        code.export(entity.name.local, entity.name.exported)
      }
    }
  }
  return project.modules.map(codeOf)
}

function file(name: string, source: string, lines: readonly string[]): GeneratedFile {
  const header = `// Generated by volo build (volo-js ${VERSION}) from ${source}. Do not edit: run volo build again.`
  return { name, text: `${[header, '', ...lines].join('\n')}\n` }
}

function allSources(project: Project): string {
  return project.modules
    .filter((module) => module.root)
    .map((module) => module.source)
    .join(', ')
}

function moduleLines(code: Code, hash: string): string[] {
  const text = code.blocks.flat().join('\n')
  const uses = (name: string): boolean => text.includes(name)
  const imports = [
    ...(uses('$.') || uses('$program') ? ["import * as $ from 'volo-js/generated'"] : []),
    ...(uses('$program') ? ["import { program } from './schema.js'"] : []),
    ...code.allImports.map(([from, names]) => {
      const specifiers = names.map(({ imported, local }) => (imported === local ? local : `${imported} as ${local}`))
      return `import { ${specifiers.join(', ')} } from './${from.base}.js'`
    }),
  ]
  const check = `const $program = $.checkProgram(program, ${quote(hash)}, ${quote(`${code.module.base}.js`)})`
  const exports = code.allExports.map(([exported, local]) => (exported === local ? local : `${local} as ${exported}`))
  const parts = [
    imports,
    uses('$program') ? [check] : [],
    ...code.blocks,
    exports.length === 0 ? ['export {}'] : ['export {', ...indented(exports.map((name) => `${name},`)), '}'],
  ].filter((part) => part.length > 0)
  return parts.flatMap((part, index) => (index === 0 ? part : ['', ...part]))
}

function schemaLines(project: Project, wire: string, hash: string): string[] {
  return [
    "import { defineProgram } from 'volo-js/generated'",
    '',
    'export const program = defineProgram({',
    `  version: ${quote(VERSION)},`,
    `  layout: ${LAYOUT_VERSION},`,
    `  int64: ${quote(project.int64)},`,
    `  hash: ${quote(hash)},`,
    `  schema: ${quote(wire)},`,
    '})',
  ]
}

/**
 * The index: names of root files as they are, unless two of these files have the same one; such files, and included ones, are
 * namespaces.
 */
function indexLines(project: Project, which: 'values' | 'all'): string[] {
  const roots = project.modules.filter((module) => module.root)
  const counts = new Map<string, Set<Module>>()
  for (const module of roots) {
    for (const { name } of module.entities) {
      counts.set(name.exported, (counts.get(name.exported) ?? new Set<Module>()).add(module))
    }
  }
  const isUnique = (name: string): boolean => counts.get(name)?.size === 1
  const lines: string[] = []
  for (const module of roots) {
    const names = new Set(
      module.entities
        .filter(({ name, space }) => isUnique(name.exported) && (which === 'all' || space.value))
        .map(({ name }) => name.exported),
    )
    if (names.size > 0)
      lines.push('export {', ...indented([...names].sort().map((name) => `${name},`)), `} from './${module.base}.js'`)
  }
  const used = new Set(counts.keys())
  for (const module of project.modules) {
    const clashing = module.entities.some(({ name }) => !isUnique(name.exported))
    if (module.root && !clashing) continue
    let name = module.base.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_')
    while (used.has(name) || needsEscape(name, { type: true, value: true })) name += '_'
    used.add(name)
    lines.push(`export * as ${name} from './${module.base}.js'`)
  }
  return lines.length === 0 ? ['export {}'] : lines
}
