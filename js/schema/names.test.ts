import test from 'ava'
import { camelCase, isInherited, isInheritedByErrors } from './names.js'

// The same table as in crates/schema: the clash of two methods is found there.
for (const [idl, expected] of [
  ['GetItem', 'getItem'],
  ['get_item', 'getItem'],
  ['GET_ITEM', 'getItem'],
  ['getItem', 'getItem'],
  ['getURL', 'getURL'],
  ['_get__item_', 'getItem'],
  ['PING', 'ping'],
  ['v2_get', 'v2Get'],
  ['Get2', 'get2'],
  ['__', '__'],
  ['x', 'x'],
]) {
  test(`${idl} is called ${expected}`, (t) => {
    t.is(camelCase(idl), expected)
  })
}

test('names that every object has are known', (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'valueOf']) t.true(isInherited(name))
  for (const name of ['id', 'then', 'message', 'name']) t.false(isInherited(name))
  for (const name of ['message', 'name', 'toString']) t.true(isInheritedByErrors(name))
})
