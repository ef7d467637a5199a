import test from 'ava'

import { merged } from './report.mjs'
import { alone } from './row.mjs'

/** @param {string} group @param {string} name */
const row = (group, name) => ({ ...alone(name, '/s', [1]), group })
const machine = (/** @type {string} */ commit) => ({ commit })
const settings = { rounds: 3, seconds: 3 }
const GROUPS = ['isolates', 'restart']

test('the rows of groups that were not measured stay, and say how they were', (t) => {
  const before = { machine: machine('old'), settings, rows: [row('isolates', 'two'), row('restart', 'failed')] }
  const now = { machine: machine('new'), settings, rows: [row('restart', 'failed anew')] }
  const rows = merged(now, before, GROUPS)
  t.deepEqual(
    rows.map(({ name, run }) => [name, run?.machine]),
    [
      ['two', machine('old')],
      ['failed anew', undefined],
    ],
  )
  const third = merged({ ...now, machine: machine('third') }, { ...now, rows }, GROUPS)
  t.deepEqual(third[0].run?.machine, machine('old'), 'also when that is long ago')
})

test('without a file, or with groups that are no more, there is only what was measured', (t) => {
  const now = { machine: machine('new'), settings, rows: [row('restart', 'failed')] }
  const names = (/** @type {{ name: string }[]} */ rows) => rows.map(({ name }) => name)
  t.deepEqual(names(merged(now, undefined, GROUPS)), ['failed'])
  t.deepEqual(names(merged(now, { ...now, rows: [row('gone', 'x')] }, GROUPS)), ['failed'])
  const nameless = [alone('failed', '/s', [1]), alone('other', '/s', [1])]
  t.deepEqual(
    names(merged(now, { ...now, rows: nameless }, GROUPS)),
    ['other', 'failed'],
    'a file that tells no groups',
  )
})
