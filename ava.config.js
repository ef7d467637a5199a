export default {
  files: [
    'dist/**/*.test.js',
    'tests/**/*.test.js',
    '{scripts,bench}/**/*.test.mjs',
    '!tests/peers/**',
    '!tests/packages/**',
    '!tests/types/**',
  ],
  // Each test file gets a process of its own: the addon's reactor belongs to an isolate, and a crash must name its file.
  workerThreads: false,
  concurrency: 2,
  timeout: '120s',
}
