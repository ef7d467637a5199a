import { VoloError } from './errors.js'

/** What health checks are told of a service. */
export type HealthStatus = 'SERVING' | 'NOT_SERVING'

/** What health checks of gRPC (`grpc.health.v1.Health`) are told of a server's services. */
export class ServerHealth {
  readonly #set: ((service: string, serving: boolean) => void) | undefined

  /** @internal */
  constructor(set: ((service: string, serving: boolean) => void) | undefined) {
    this.#set = set
  }

  /**
   * Sets what is told of a service from now on; those who watch it are told at once. In the beginning all services of gRPC that are served
   * are SERVING, and so is the server as a whole. While the server closes, everything is NOT_SERVING.
   *
   * @param service Full name, `package.Service`; one that was not known becomes so. `''` is the server as a whole; it does not follow from
   *   the others.
   * @throws VoloError FAILED_PRECONDITION if the server answers no health checks: it serves no gRPC, or `health` is false.
   *   INVALID_ARGUMENT for a status that is none.
   */
  set(service: string, status: HealthStatus): void {
    if (this.#set === undefined) {
      throw new VoloError(
        'FAILED_PRECONDITION',
        'this server answers no health checks; serve a service of gRPC, and leave the option health out',
      )
    }
    if (status !== 'SERVING' && status !== 'NOT_SERVING') {
      throw new VoloError('INVALID_ARGUMENT', `there is no status '${String(status)}'; use SERVING or NOT_SERVING`)
    }
    this.#set(service, status === 'SERVING')
  }
}
