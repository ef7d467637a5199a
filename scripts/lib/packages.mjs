/**
 * What is published: the package `volo-js`, which holds JavaScript only, and one package a platform with its binary, as napi-rs names them. The
 * former depends on the latter optionally, so that npm installs the one that fits. Those dependencies are written here, not in package.json: a
 * checkout builds its own binary and has no use for published ones.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { buildCache, root } from './paths.mjs'
import { Failure, must, napi, npm } from './process.mjs'

/** @typedef {{ name: string, version: string, main?: string, repository?: unknown, optionalDependencies?: Record<string, string>, [field: string]: unknown }} Manifest */

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {string} version
 * @property {string} file the tarball
 */

/** Fields of package.json that mean nothing to who installs. */
const INTERNAL = ['devDependencies', 'overrides', 'scripts', 'napi']

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** @param {string} folder @param {Manifest} manifest */
const writeManifest = (folder, manifest) =>
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)

/**
 * Packs a folder as npm would publish it.
 * @param {string} folder
 * @param {string} out where the tarball goes
 * @returns {Promise<Packed>}
 */
export async function packFolder(folder, out) {
  const { stdout } = await must({
    ...npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out]),
    cwd: folder,
  })
  const [{ name, version, filename }] = JSON.parse(stdout)
  return { name, version, file: join(out, filename.replace('@', '').replace('/', '-')) }
}

/**
 * Makes the tarballs: `volo-js` last.
 * @param {object} options
 * @param {string} options.out folder for the tarballs; emptied first
 * @param {string} options.binaries folder with the `volo-js.PLATFORM.node` files
 * @param {'all' | 'present'} options.platforms `all`: a missing binary is a failure, as a release must be whole; `present`: those that are there
 * @param {string} [options.repository] URL of the repository, which npm's provenance compares
 * @returns {Promise<readonly Packed[]>}
 */
export async function packPackages({ out, binaries, platforms, repository }) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  /** @param {Manifest} manifest */
  const finished = (manifest) =>
    repository === undefined ? manifest : { ...manifest, repository: { type: 'git', url: repository } }
  mkdirSync(buildCache, { recursive: true })
  // napi-rs wants its folders within the project.
  const work = mkdtempSync(join(buildCache, 'packages-'))
  try {
    return await packAll(work, { out, binaries, platforms, finished })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * @param {string} work folder for what is packed
 * @param {{ out: string, binaries: string, platforms: 'all' | 'present', finished: (manifest: Manifest) => Manifest }} options
 */
async function packAll(work, { out, binaries, platforms, finished }) {
  const packed = []
  for (const folder of await platformFolders(join(work, 'platforms'))) {
    const manifest = manifestOf(folder)
    const binary = String(manifest.main)
    if (existsSync(join(binaries, binary))) {
      copyFileSync(join(binaries, binary), join(folder, binary))
      copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
      writeManifest(folder, finished(manifest))
      packed.push(await packFolder(folder, out))
    } else if (platforms === 'all') {
      throw new Failure(
        `${join(binaries, binary)} is missing: every platform of napi.targets must be built before a release.`,
      )
    }
  }
  if (packed.length === 0) throw new Failure(`${binaries} holds no volo-js.PLATFORM.node. Run \`npm run setup\` first.`)
  const { version } = manifestOf(root)
  const stray = packed.find((platform) => platform.version !== version)
  if (stray !== undefined) throw new Failure(`${stray.name} has version ${stray.version}, volo-js ${version}.`)
  const staged = await stage(join(work, 'package'))
  const manifest = manifestOf(root)
  for (const field of INTERNAL) delete manifest[field]
  manifest.optionalDependencies = Object.fromEntries(packed.map(({ name }) => [name, version]))
  writeManifest(staged, finished(manifest))
  packed.push(await packFolder(staged, out))
  return packed
}

/**
 * Folders of the platform packages, as napi-rs makes them.
 * @param {string} folder
 */
async function platformFolders(folder) {
  await must(napi(['create-npm-dirs', '--npm-dir', folder]))
  return readdirSync(folder).map((name) => join(folder, name))
}

/**
 * A copy of what `npm pack` would take of the root.
 * @param {string} folder
 */
async function stage(folder) {
  if (!existsSync(join(root, 'dist', 'bundle', 'index.js'))) throw new Failure('dist/ is missing: run `npm run build`.')
  const { stdout } = await must(npm(['pack', '--json', '--dry-run', '--ignore-scripts']))
  for (const { path } of JSON.parse(stdout)[0].files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(root, path), join(folder, path))
  }
  return folder
}
