/** A registry on loopback that has only the packages it is given: what is installed from it cannot come from anywhere else. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'

import { must } from '../../scripts/lib/process.mjs'

/**
 * Serves tarballs.
 * @param {readonly import('../../scripts/lib/packages.mjs').Packed[]} packed
 * @returns {Promise<{ url: string, published: string[], close: () => void }>} `published`: names of what was published to it
 */
export async function serveRegistry(packed) {
  const tarballs = new Map(packed.map(({ file }) => [basename(file), readFileSync(file)]))
  const manifests = new Map(
    await Promise.all(packed.map(async (one) => /** @type {const} */ ([one.name, await manifestIn(one.file)]))),
  )
  const published = /** @type {string[]} */ ([])
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1))
    const tarball = tarballs.get(basename(path))
    const one = packed.find(({ name }) => name === path)
    if (request.method === 'PUT') {
      published.push(path)
      request.resume().on('end', () => response.writeHead(201).end('{}'))
    } else if (tarball !== undefined) {
      response.end(tarball)
    } else if (one !== undefined) {
      const content = /** @type {Buffer} */ (tarballs.get(basename(one.file)))
      const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`
      const dist = { tarball: `http://${request.headers.host}/-/${basename(one.file)}`, integrity }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          name: one.name,
          'dist-tags': { latest: one.version },
          versions: { [one.version]: { ...manifests.get(one.name), dist } },
        }),
      )
    } else {
      response.writeHead(404).end('{}')
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${address.port}/`,
    published,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/**
 * The manifest in a tarball.
 * @param {string} file
 * @returns {Promise<Record<string, unknown>>}
 */
async function manifestIn(file) {
  const { stdout } = await must({ command: 'tar', args: ['-xzOf', file, 'package/package.json'] })
  return JSON.parse(stdout)
}
