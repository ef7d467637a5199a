/** Finds the binary of the native addon that fits this process, and loads it. */
import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Addon } from './addon.js'
import { explain, type Attempt } from './addon-failure.js'

// Where a bundler makes CommonJS of this module, `import.meta` is empty and `__filename` tells the place.
declare const __filename: string
const here = import.meta.url ?? pathToFileURL(__filename).href
const require = createRequire(here)

/**
 * Names of the binaries that could fit this platform, as napi-rs has them. On Linux the C library decides; asking Node for it takes longer than
 * trying.
 */
function suffixes(): readonly string[] {
  const { platform, arch } = process
  if (platform === 'linux') return [`linux-${arch}-gnu`, `linux-${arch}-musl`]
  return [platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`]
}

/**
 * Where a binary may be, in the order of trying: the build of a checkout, the package for this platform, a file that was put beside a bundle, and
 * the package as volo-js sees it when a bundle does not.
 */
function* places(suffix: string): Generator<() => string> {
  yield () => fileURLToPath(new URL(`../../volo-js.${suffix}.node`, here))
  yield () => `volo-js-${suffix}`
  yield () => fileURLToPath(new URL(`./volo-js.${suffix}.node`, here))
  yield () => createRequire(require.resolve('volo-js/package.json')).resolve(`volo-js-${suffix}`)
}

/**
 * The addon: the file that `VOLO_ADDON` names, or the first binary that loads.
 * @throws VoloError `FAILED_PRECONDITION` that tells platform and C library, every binary that was found and why it does not load, and what to do.
 */
export function loadAddon(): Addon {
  const attempts: Attempt[] = []
  const named = process.env.VOLO_ADDON
  if (named !== undefined) {
    try {
      return require(named) as Addon
    } catch (error) {
      throw explain([{ name: named, error }], { named, here })
    }
  }
  for (const suffix of suffixes()) {
    for (const place of places(suffix)) {
      let name = `volo-js-${suffix}`
      try {
        name = place()
        return require(name) as Addon
      } catch (error) {
        attempts.push({ name, error })
      }
    }
  }
  throw explain(attempts, { here })
}
