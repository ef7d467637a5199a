'use strict'
// What every ItemService here answers.

/** @param {ReturnType<typeof import('./options.cjs').options>} given */
exports.items = function items(given) {
  const size = given.number('content-size', -1)
  const content = size < 0 ? 'Powered by Volo' : 'x'.repeat(size)
  const stream = given.number('stream-items', 10)
  return {
    content,
    stream,
    item: (id) => ({ id, title: 'Hello gRPC', content }),
    // Adds to numbers and bigints alike.
    next: (id, n) => ({ id: typeof id === 'bigint' ? id + BigInt(n) : id + n, title: `Item ${n}`, content }),
  }
}
