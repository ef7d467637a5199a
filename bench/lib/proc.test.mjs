import test from 'ava'

import { difference } from './proc.mjs'
import { parseCounts } from './syscalls.mjs'

const thread = (/** @type {string} */ name, /** @type {number} */ cpu) => ({ name, cpu, waits: cpu, preemptions: 1 })

test('threads are told apart by what they are for', (t) => {
  const before = new Map([
    [100, thread('node', 1000)],
    [102, thread('volo-tokio-0', 50)],
  ])
  const after = new Map([
    [100, thread('node', 1500)],
    // Had not begun yet.
    [101, thread('node', 7)],
    [102, thread('volo-tokio-0', 80)],
    [103, thread('volo-tokio-1', 20)],
  ])
  t.deepEqual(difference(100, before, after), {
    main: { cpu: 500, waits: 500, preemptions: 0 },
    io: { cpu: 50, waits: 50, preemptions: 1 },
    rest: { cpu: 7, waits: 7, preemptions: 1 },
  })
})

test('calls are counted by thread and name', (t) => {
  const output = [
    '# started on Monday',
    'node-100;30;;raw_syscalls:sys_enter;2000000000;100.00;;',
    'node-100;20;;syscalls:sys_enter_epoll_pwait;2000000000;100.00;;',
    'node-101;<not counted>;;syscalls:sys_enter_futex;0;0.00;;',
    'volo-monoio-0-102;7;;syscalls:sys_enter_io_uring_enter;2000000000;100.00;;',
    'volo-monoio-1-103;5;;syscalls:sys_enter_io_uring_enter;2000000000;100.00;;',
    'node-104;2;;raw_syscalls:sys_enter;2000000000;100.00;;',
  ].join('\n')
  t.deepEqual(parseCounts(output, 100), {
    main: { all: 30, epoll_pwait: 20 },
    io: { io_uring_enter: 12 },
    rest: { all: 2 },
  })
})
