/** Why no binary of the native addon loaded, and what to do about it. Runs only when loading has failed, so it may be slow. */
import { dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../build/version.js'
import { VoloError } from './errors.js'

/** A binary that was tried: its file or package, and what came of it. */
export interface Attempt {
  readonly name: string
  readonly error: unknown
}

/** Where the addon was looked for. */
export interface Search {
  /** The module that looked, as a URL. */
  readonly here: string
  /** What `VOLO_ADDON` names, if it is set. */
  readonly named?: string
}

/** What decides which binary fits. */
export interface System {
  readonly platform: string
  readonly arch: string
  /** The C library and its version, on Linux only. */
  readonly libc?: { readonly kind: 'glibc'; readonly version: string } | { readonly kind: 'musl' }
  /** Node's version, with its `v`. */
  readonly node: string
  /** Whether Node's permission model is on. */
  readonly permissions: boolean
}

/** Platforms that have a package `volo-js-PLATFORM`; the same as `napi.targets` of package.json. */
export const PACKAGES: readonly string[] = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
]

/** This process. Asks Node for a diagnostic report, which is where it tells the C library. */
export function thisSystem(): System {
  const { platform, arch, version: node, permission } = process as typeof process & { permission?: unknown }
  const known = { platform, arch, node, permissions: permission !== undefined }
  if (platform !== 'linux') return known
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } }
  const version = report === undefined ? undefined : glibcVersion(report)
  return { ...known, libc: version === undefined ? { kind: 'musl' } : { kind: 'glibc', version } }
}

/** glibc's version as a diagnostic report tells it; undefined with another C library. */
function glibcVersion(report: NodeJS.ProcessReport & { excludeNetwork?: boolean }): string | undefined {
  const before = report.excludeNetwork
  // Otherwise the report looks up the name of every peer, seconds where the resolver does not answer.
  report.excludeNetwork = true
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
  report.excludeNetwork = before ?? false
  return header?.glibcVersionRuntime
}

/** The binary for a system, as napi-rs names it: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. */
export function suffixOf({ platform, arch, libc }: System): string {
  if (platform === 'linux') return `linux-${arch}-${libc?.kind === 'musl' ? 'musl' : 'gnu'}`
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

/** The error for a search that found nothing that loads. */
export function explain(attempts: readonly Attempt[], search: Search, system: System = thisSystem()): VoloError {
  const found = attempts.filter((attempt) => !isMissing(attempt)).filter(isFirst)
  const lines = [
    `volo-js has no native addon that loads here: ${describe(system)}.`,
    ...found.map(({ name, error }) => `- ${name}: ${reasonOf(error)}`),
    ...advice(attempts, found, search, system),
  ]
  const causes = (found.length > 0 ? found : attempts).map(({ error }) => error)
  const cause = causes.length === 1 ? causes[0] : new AggregateError(causes, 'none of the binaries loads')
  return new VoloError('FAILED_PRECONDITION', lines.join('\n'), { cause })
}

function describe({ platform, arch, libc, node }: System): string {
  const library = libc === undefined ? '' : libc.kind === 'musl' ? ', musl' : `, glibc ${libc.version}`
  return `${platform} ${arch}${library}, Node ${node.replace(/^v/, '')}`
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code

/** Nothing is there by that name. A package without its binary is there, and broken. */
function isMissing({ error }: Attempt): boolean {
  return codeOf(error) === 'MODULE_NOT_FOUND' && (error as { path?: unknown }).path === undefined
}

/** A binary that is found at a second place fails for the same reason. */
function isFirst({ error }: Attempt, index: number, all: readonly Attempt[]): boolean {
  return all.findIndex((other) => reasonOf(other.error) === reasonOf(error)) === index
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  // What follows in MODULE_NOT_FOUND is the require stack, which says nothing here.
  return (codeOf(error) === 'MODULE_NOT_FOUND' ? message.split('\n')[0] : message).trim()
}

/** What to do, most certain cause first. */
function advice(
  attempts: readonly Attempt[],
  found: readonly Attempt[],
  search: Search,
  system: System,
): readonly string[] {
  const codes = attempts.map(({ error }) => codeOf(error))
  if (codes.includes('ERR_DLOPEN_DISABLED')) return disabled(system)
  if (codes.includes('ERR_ACCESS_DENIED')) return denied(attempts, search)
  if (search.named !== undefined) return named(search.named, found.length > 0)
  const suffix = suffixOf(system)
  if (!PACKAGES.includes(suffix)) {
    return [`There is no package for ${suffix}; there are ${PACKAGES.join(', ')}. ${BUILD}`]
  }
  const needed = found.flatMap(({ error }) => [...reasonOf(error).matchAll(/GLIBC_([\d.]+)' not found/g)])
  if (needed.length > 0) {
    return [
      `The binary needs glibc ${newest(needed.map((match) => match[1]))}, this system has ${system.libc?.kind === 'glibc' ? system.libc.version : 'none'}. ` +
        `Use a newer release of the distribution. ${BUILD}`,
    ]
  }
  if (found.length > 0) {
    return [
      `What is installed does not fit this system, which needs volo-js-${suffix}: was node_modules copied from another one, or an installation broken off? ${REINSTALL}`,
    ]
  }
  return missing(suffix, search)
}

const BUILD =
  'Or build it: in a checkout of volo-js `npm run setup` (needs Rust), then set VOLO_ADDON to the .node file.'
const REINSTALL = 'Remove node_modules and run `npm install` on this system.'

function disabled({ permissions }: System): readonly string[] {
  return permissions
    ? [
        "Node's permission model refuses addons: start Node with --allow-addons as well (workers: also --allow-worker). " +
          'What the addon does itself, sockets and reading IDL files, the permission model does not see.',
      ]
    : ['This process was started with --no-addons; volo-js needs its addon, start Node without that flag.']
}

function denied(attempts: readonly Attempt[], { here }: Search): readonly string[] {
  const resources = attempts.map(({ error }) => (error as { resource?: string } | undefined)?.resource ?? '')
  const folders = [...new Set(resources.filter((resource) => resource !== '').map((file) => dirname(file)))]
  const what = folders.length > 0 ? folders : [dirname(fileURLToPath(here))]
  return [
    `Node's permission model refuses reading the addon: start Node with --allow-addons and ${what.map((folder) => `--allow-fs-read=${folder}/*`).join(' ')}` +
      ' (or the node_modules above).',
  ]
}

function named(file: string, exists: boolean): readonly string[] {
  return [
    exists
      ? `VOLO_ADDON names ${file}, which does not load. Build it for this system, or unset VOLO_ADDON.`
      : `VOLO_ADDON names ${file}, which does not exist. Correct the path (absolute is best), or unset VOLO_ADDON.`,
  ]
}

function missing(suffix: string, { here }: Search): readonly string[] {
  return [
    `The package volo-js-${suffix} is not installed. npm leaves it out with --omit=optional or --no-optional, and with a lock file or node_modules made on`,
    `another platform. ${REINSTALL} If it is still missing: npm install volo-js-${suffix}@${VERSION}`,
    `A bundle finds it in the node_modules above it, or as volo-js.${suffix}.node beside ${fileURLToPath(here)}. In a checkout: npm run setup.`,
  ]
}

/** The highest of versions such as `2.34`. */
function newest(versions: readonly string[]): string {
  const parts = (version: string) => version.split('.').map(Number)
  const sorted = [...versions].sort((a, b) => {
    const [left, right] = [parts(a), parts(b)]
    return left[0] - right[0] || (left[1] ?? 0) - (right[1] ?? 0)
  })
  return sorted[sorted.length - 1]
}
