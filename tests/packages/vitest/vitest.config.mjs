/** Nothing but the name of the tests. */
export default { test: { include: ['*.test.mjs'] } }
