/** Go, which builds some of the peers and tools. */
import { Failure, which } from './process.mjs'

export function needGo() {
  if (which('go') === undefined)
    throw new Failure('go is missing. Install Go 1.26 or newer (https://go.dev) and try again.')
}
