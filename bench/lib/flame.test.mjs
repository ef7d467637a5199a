import test from 'ava'

import { flameGraph, fold, ownerOf } from './flame.mjs'

const script = `
node 12  1.0:    1003009 cpu-clock:
	ffffffff82246a1a tcp_sendmsg+0xea ([kernel.kallsyms])
	          1b21ab epoll_turn+0x10 (/x/volo-js.linux-x64-gnu.node)

node 12  1.1:    1003009 cpu-clock:
	ffffffff82246a22 tcp_sendmsg+0xf2 ([kernel.kallsyms])
	          1b21ab epoll_turn+0x10 (/x/volo-js.linux-x64-gnu.node)

node 12  1.2:    1003009 cpu-clock:
	    7f0000001234 JS:*deliver file:///x/dist/core/dispatch.js:1:2+0x5 (/tmp/perf-12.map)
`

test('samples with the same stack are one, outermost frame first', (t) => {
  const stacks = fold(script)
  t.deepEqual(
    stacks.map(({ frames, count }) => ({ frames, count })),
    [
      { frames: ['epoll_turn', 'tcp_sendmsg'], count: 2 },
      { frames: ['JS:*deliver dispatch.js:1:2'], count: 1 },
    ],
  )
})

test('stacks can be told apart by their threads', (t) => {
  const other = script.replaceAll('node 12', 'volo-tokio-0 12/34 [001]')
  const stacks = fold(script + other, true)
  t.deepEqual(
    stacks.map(({ frames }) => frames[0]),
    ['node', 'node', 'volo-tokio-0', 'volo-tokio-0'],
  )
})

test('a sample belongs to where its innermost frame lies', (t) => {
  t.deepEqual(fold(script).map(ownerOf), ['system calls', 'JavaScript'])
})

test('names are escaped in the picture', (t) => {
  const stack = { frames: ['Vec<&str>::push'], leafObject: '/x/volo-js.node', inKernel: false, count: 4 }
  t.regex(flameGraph([stack], 'a < b'), /<title>Vec&lt;&amp;str&gt;::push \(100\.0 %, 4 samples\)<\/title>/)
})
