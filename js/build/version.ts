/** Version of this package; a test holds it to package.json. A constant, for a bundle has no package.json beside it. */
export const VERSION = '0.1.0'
