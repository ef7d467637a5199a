/** Tests of what is published, which install it and need other versions of Node: `npm test -- packages`. */
export default {
  files: ['tests/packages/*.test.mjs'],
  workerThreads: false,
  concurrency: 2,
  // The first test of a run packs and installs.
  timeout: '180s',
}
