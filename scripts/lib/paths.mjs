/** Where things are. Plain Node built-ins only: the scripts run before `npm ci` has. */
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Stamps and intermediate files of this checkout; gone with `node_modules`. */
export const buildCache = join(root, 'node_modules', '.cache', 'volo-js')

/** What several checkouts share: built peers, pinned tools. `VOLO_CACHE` moves it. */
export const sharedCache = process.env.VOLO_CACHE ?? join(homedir(), '.cache', 'volo-js')

/** Where cargo builds peers, a folder a workspace. */
export const peersTarget = join(sharedCache, 'peers', 'target')

/** Cargo's build directory. */
export const cargoTarget = process.env.CARGO_TARGET_DIR ?? join(root, 'target')

/**
 * This platform as napi-rs names it, in the names of binaries and packages: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`.
 * @returns {string}
 */
export function platformSuffix() {
  const { platform, arch } = process
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    /** @type {unknown} */ (process.report.getReport())
  )
  return `linux-${arch}-${report.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`
}

/**
 * File name of the addon for this platform, as `js/core/load-addon.ts` looks for it.
 * @returns {string}
 */
export function addonFile() {
  return `volo-js.${platformSuffix()}.node`
}
