import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'

import test from 'ava'

import { buildCache, root } from './paths.mjs'
import { files, hashOf } from './stamp.mjs'

test('what is compiled beside its source changes nothing', (t) => {
  mkdirSync(buildCache, { recursive: true })
  const folder = mkdtempSync(join(buildCache, 'stamp-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = relative(root, folder)
  for (const name of ['a.ts', 'plain.js']) writeFileSync(join(folder, name), name)
  const before = hashOf([path])
  for (const name of ['a.js', 'a.js.map']) writeFileSync(join(folder, name), name)
  t.deepEqual(
    files(path).map((file) => basename(file)),
    ['a.ts', 'plain.js'],
  )
  t.is(hashOf([path]), before)
  writeFileSync(join(folder, 'plain.js'), 'changed')
  t.not(hashOf([path]), before)
})
