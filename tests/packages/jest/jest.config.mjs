/** Nothing is transformed: volo-js, the generated code and the tests are modules as they are. */
export default { testEnvironment: 'node', testMatch: ['**/*.test.mjs'], transform: {} }
