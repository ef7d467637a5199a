import test from 'ava'

import { leastRoom, machineFault, room } from './machine.mjs'

/** @param {string} output */
const what = (output) => machineFault(output)?.what

test('a compiler or a linker that a signal ended', (t) => {
  for (const [output, expected] of [
    [
      "Caused by:\n  process didn't exit successfully: `/root/.rustup/toolchains/stable/bin/rustc --crate-name a --edition=2024` (signal: 9, SIGKILL: kill)",
      'rustc was ended (signal: 9, SIGKILL)',
    ],
    [
      "process didn't exit successfully: `/bin/clippy-driver /bin/rustc --crate-name a` (signal: 11, SIGSEGV: invalid memory reference)",
      'clippy-driver was ended (signal: 11, SIGSEGV)',
    ],
    [
      "process didn't exit successfully: `/t/debug/build/ring-1/build-script-build` (signal: 7, SIGBUS: access to undefined memory)",
      'build-script-build was ended (signal: 7, SIGBUS)',
    ],
    [
      'error: linking with `cc` failed: exit status: 1\n  = note: collect2: fatal error: ld terminated with signal 7 [Bus error], core dumped',
      'ld was ended (signal 7 [Bus error])',
    ],
    ['error: linking with `rust-lld` failed: signal: 9 (SIGKILL)', 'rust-lld was ended (signal: 9 (SIGKILL))'],
    ['gcc: fatal error: Killed signal terminated program cc1plus', 'cc1plus was ended (Killed)'],
    ['clang: error: linker command failed due to signal (use -v to see invocation)', 'linker was ended (signal)'],
    [
      'golang.org/x/net: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed',
      'compile was ended (signal: killed)',
    ],
  ]) {
    t.is(what(output), expected)
    t.true(machineFault(output)?.bySignal)
  }
})

test('a test that a signal ended is its own fault', (t) => {
  const crash = 'signal: 11, SIGSEGV: invalid memory reference'
  t.is(what(`process didn't exit successfully: \`/t/debug/deps/volo_js_tape-12ab --quiet\` (${crash})`), undefined)
  t.is(what(`process didn't exit successfully: \`/t/debug/deps/rustc_like-12ab\` (${crash})`), undefined)
  t.is(what(`process didn't exit successfully: \`/bin/cargo-miri runner /t/debug/deps/a-1\` (${crash})`), undefined)
  t.is(what('error[E0308]: mismatched types\nerror: could not compile `a`'), undefined)
})

test('no space', (t) => {
  for (const output of [
    'error: failed to write `/t/a.rmeta`: No space left on device (os error 28)',
    'npm error code ENOSPC',
    'write /tmp/go-link: no space left on device',
  ]) {
    t.deepEqual(machineFault(output), { what: 'no space was left', bySignal: false })
  }
})

test('what there is', (t) => {
  t.regex(room(), /^\d+\.\d GiB of disk free \(checkout.*\), \d+\.\d GiB of memory$/)
  t.true(leastRoom() > 0)
})
