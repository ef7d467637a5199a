import test from 'ava'

import { notesOf } from './changelog.mjs'

const changelog = `# Changelog

## Unreleased

## 1.10.0 - 2026-02-01

### Added

- Ten.

## [1.1.0]

- One.
`

test('the notes of a version are what stands below its heading', (t) => {
  t.is(notesOf(changelog, '1.10.0'), '### Added\n\n- Ten.')
  t.is(notesOf(changelog, '1.1.0'), '- One.')
})

test('a version without heading or text has none', (t) => {
  t.is(notesOf(changelog, '1.1'), undefined)
  t.is(notesOf(changelog, 'Unreleased'), undefined)
})
