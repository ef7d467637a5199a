#!/usr/bin/env node
/**
 * node scripts/release/packages.mjs [--out DIR] [--binaries DIR] [--present] [--repository URL]
 *
 * Makes the tarballs that are published: one for each platform, and `volo-js`. `--out` defaults to `target/packages`, `--binaries` (where the
 * `volo-js.PLATFORM.node` files are) to the checkout. `--present` packs the platforms whose binary is there, instead of failing for the others.
 * Prints the tarballs, in the order in which they have to be published.
 */
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { packPackages } from '../lib/packages.mjs'
import { root } from '../lib/paths.mjs'
import { runMain } from '../lib/process.mjs'

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'target', 'packages') },
      binaries: { type: 'string', default: root },
      present: { type: 'boolean', default: false },
      repository: { type: 'string' },
    },
  })
  const packed = await packPackages({
    out: values.out,
    binaries: values.binaries,
    platforms: values.present ? 'present' : 'all',
    ...(values.repository === undefined ? {} : { repository: values.repository }),
  })
  for (const { file } of packed) process.stdout.write(`${file}\n`)
})
