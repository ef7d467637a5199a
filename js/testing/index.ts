/** What tests of services need: an in-process pair of client and server, and a clock they drive. */
export { FakeClock } from './fake-clock.js'
export { pair, type Pair, type PairOptions } from './pair.js'
