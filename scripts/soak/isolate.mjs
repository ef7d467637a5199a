/** The module of the isolates of a soak run. */
import { server } from './service.mjs'

await server().run('127.0.0.1:0')
