/** A server and a client in a Jest test; this file is run by Jest, from tests/packages/runners.test.mjs. */
import { expect, test } from '@jest/globals'
import { itemTests } from './items-suite.mjs'

itemTests(test, expect)
