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

/** Cargo's build directory. */
export const cargoTarget = process.env.CARGO_TARGET_DIR ?? join(root, 'target')

/**
 * File name of the addon for this platform, as `js/core/addon.ts` looks for it.
 * @returns {string}
 */
export function addonFile() {
  const { platform, arch } = process
  if (platform !== 'linux') return `volo-js.${platform}-${arch}.node`
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    /** @type {unknown} */ (process.report.getReport())
  )
  return `volo-js.${platform}-${arch}-${report.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}.node`
}
