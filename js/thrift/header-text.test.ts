import test from 'ava'
import fc from 'fast-check'

import { headerText, parseHeaders } from './header-text.js'

test('any names and values come back', (t) => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('\\', '\n', 'n', 'a') }))
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (headers) => {
      t.deepEqual(parseHeaders(headers.map(([name, value]) => headerText(name, value)).join('')), headers)
    }),
  )
})

test('no text is no headers', (t) => {
  t.deepEqual(parseHeaders(''), [])
})
