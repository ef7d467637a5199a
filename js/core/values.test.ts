import test from 'ava'

import { formatAddress, parseAddress, resolveAddress } from './address.js'
import { milliseconds } from './duration.js'
import { ThriftApplicationError, TransportError, VoloError } from './errors.js'
import { Metadata } from './metadata.js'
import { bytes } from './size.js'
import { codeOf } from './status.js'

test('durations', (t) => {
  t.is(milliseconds(250), 250)
  t.is(milliseconds('250us'), 0.25)
  t.is(milliseconds('200ms'), 200)
  t.is(milliseconds('3s'), 3000)
  t.is(milliseconds('1.5m'), 90_000)
  t.is(milliseconds('1h'), 3_600_000)
  for (const wrong of ['3', 's', '-1s', '3 s', '3S', -1, NaN, null, {}]) {
    t.throws(() => milliseconds(wrong as never, 'timeout'), { message: /^timeout is .*, which is no duration; write/ })
  }
})

test('sizes', (t) => {
  t.is(bytes(10), 10)
  t.is(bytes('64KiB'), 65536)
  t.is(bytes('1.5MiB'), 1572864)
  t.is(bytes('2GiB'), 2147483648)
  for (const wrong of ['4MB', '1.5B', -1, 0.5, NaN, undefined]) {
    t.throws(() => bytes(wrong as never, 'maxFrameSize'), { message: /^maxFrameSize is .*, which is no size; write/ })
  }
})

test('addresses', (t) => {
  const tcp = (host: string, port: number): unknown => ({ kind: 'tcp', host, port })
  t.deepEqual<unknown, unknown>(parseAddress('[::1]:8080', '::'), tcp('::1', 8080))
  t.deepEqual<unknown, unknown>(parseAddress('127.0.0.1:0', '::'), tcp('127.0.0.1', 0))
  t.deepEqual<unknown, unknown>(parseAddress(':8080', '::'), tcp('::', 8080))
  t.deepEqual<unknown, unknown>(parseAddress('localhost:80', '::'), tcp('localhost', 80))
  t.deepEqual<unknown, unknown>(parseAddress({ port: 80 }, '127.0.0.1'), tcp('127.0.0.1', 80))
  t.deepEqual<unknown, unknown>(parseAddress('unix:/run/x.sock', ''), { kind: 'unix', path: '/run/x.sock' })
  t.deepEqual<unknown, unknown>(parseAddress('memory:item', ''), { kind: 'memory', memory: 'item' })
  for (const wrong of ['', '8080', 'host', 'host:', 'host:http', '::1:80', '[host]:80', 'host:65536', 'unix:']) {
    t.throws(() => parseAddress(wrong, '::'), { message: /write '127\.0\.0\.1:8080'/ }, wrong)
  }
  t.is(formatAddress({ kind: 'tcp', host: '::1', port: 1 }), '[::1]:1')
})

test('names are looked up, and one that has no address says so', async (t) => {
  const local = await resolveAddress({ kind: 'tcp', host: 'localhost', port: 1 })
  t.true(local.kind === 'tcp' && ['127.0.0.1', '::1'].includes(local.host))
  await t.throwsAsync(resolveAddress({ kind: 'tcp', host: 'no-such-host.invalid', port: 1 }), {
    message: /^the name 'no-such-host\.invalid' has no address/,
  })
})

test('metadata has names without case and several values', (t) => {
  const metadata = new Metadata({ 'X-One': '1', two: ['a', 'b'] })
  metadata.append('TWO', 'c')
  t.is(metadata.get('x-one'), '1')
  t.deepEqual(metadata.getAll('Two'), ['a', 'b', 'c'])
  t.deepEqual(
    [...metadata],
    [
      ['x-one', '1'],
      ['two', 'a'],
      ['two', 'b'],
      ['two', 'c'],
    ],
  )
  metadata.delete('two')
  metadata.set('X-ONE', '2')
  t.deepEqual([...new Metadata(metadata)], [['x-one', '2']])
  t.is(metadata.size, 1)
  t.is(new Metadata().get('none'), undefined)
})

test('errors carry code, number, sent and cause, and are told across copies of the package', (t) => {
  const cause = new Error('refused')
  const error = new TransportError('UNAVAILABLE', 'no connection', { sent: 'maybe', details: [1], cause })
  t.like(error, { name: 'TransportError', code: 'UNAVAILABLE', status: 14, sent: 'maybe', details: [1], cause })
  t.true(error instanceof VoloError)
  t.true(VoloError.is(error))
  t.true(
    VoloError.is({
      get [Symbol.for('volo-js.error')]() {
        return true
      },
    }),
  )
  for (const other of [new Error('x'), null, undefined, 'x', {}]) t.false(VoloError.is(other))
  t.regex(String(error.stack), /^TransportError: no connection/)
  t.deepEqual(Object.keys(new VoloError('ABORTED', 'x')).includes('name'), false)
})

test('types of application errors have codes', (t) => {
  t.is(new ThriftApplicationError('x').type, 6)
  t.is(new ThriftApplicationError('x', 1).code, 'UNIMPLEMENTED')
  t.is(new ThriftApplicationError('x', 7).code, 'INVALID_ARGUMENT')
  t.is(new ThriftApplicationError('x', 0).code, 'UNKNOWN')
  t.is(new ThriftApplicationError('x', 77).code, 'INTERNAL')
  t.is(codeOf(8), 'RESOURCE_EXHAUSTED')
  t.is(codeOf(0), 'UNKNOWN')
  t.is(codeOf(99), 'UNKNOWN')
})
