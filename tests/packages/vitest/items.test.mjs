/** A server and a client in a Vitest test; this file is run by Vitest, from tests/packages/runners.test.mjs. */
import { expect, test } from 'vitest'
import { itemTests } from './items-suite.mjs'

itemTests(test, expect)
