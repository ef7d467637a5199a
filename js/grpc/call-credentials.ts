import type { CallContext } from '../core/call-context.js'
import { VoloError } from '../core/errors.js'
import { Metadata } from '../core/metadata.js'
import type { Abortable, Progress } from '../core/scope.js'
import { isPromiseLike } from '../core/service.js'
import type { Code } from '../core/status.js'
import { GrpcError } from './grpc-error.js'
import { joinedTexts, metadataText } from './metadata-text.js'

/** The call that credentials are wanted for. */
export interface CredentialsRequest {
  /** `package.Service` */
  readonly service: string
  /** Name of the method on the wire. */
  readonly method: string
  /** Where the service is found, `https://host/package.Service`: what a token is usually made out for. */
  readonly audience: string
  /** Aborted when the call is given up, or its time is over. */
  readonly signal: AbortSignal
}

/**
 * Says who calls: gives the metadata that go with a request beside its own, before every attempt. Whoever fetches tokens keeps them as long as they are good.
 *
 * What it throws ends the call before anything is sent: a VoloError with its code (one that speaks of the call itself, such as NOT_FOUND, as INTERNAL),
 * anything else with UNAUTHENTICATED.
 */
export type CallCredentials = (request: CredentialsRequest) => CredentialsMetadata | PromiseLike<CredentialsMetadata>

type CredentialsMetadata = Metadata | Readonly<Record<string, string | readonly string[]>>

/**
 * Credentials that are a token: `authorization: Bearer …`.
 * @param token the token, or what gives it.
 * @example
 * Client.of(ItemService, 'shop.item').address('shop:443').tls().options({ credentials: bearer(() => tokens.current()) })
 */
export function bearer(
  token: string | ((request: CredentialsRequest) => string | PromiseLike<string>),
): CallCredentials {
  const header = (text: string): CredentialsMetadata => ({ authorization: `Bearer ${text}` })
  return (request) => {
    const text = typeof token === 'string' ? token : token(request)
    return typeof text === 'string' ? header(text) : text.then(header)
  }
}

/**
 * Metadata of a call's credentials, as text for the tape: at once if all of them are there at once.
 * @throws GrpcError, also by the promise, if one of them fails; what the call was given up with if it is meanwhile.
 */
export function identify(
  credentials: readonly CallCredentials[],
  cx: CallContext,
  authority: string,
): string | Promise<string> {
  const { service, wireName } = cx.method
  const request: CredentialsRequest = {
    service,
    method: wireName,
    audience: `https://${authority.replace(/:443$/, '')}/${service}`,
    get signal() {
      return cx.signal
    },
  }
  try {
    const given = credentials.map((one) => one(request))
    if (!given.some(isPromiseLike)) return textOf(given as CredentialsMetadata[])
    return bounded(cx, Promise.all(given.map((one) => Promise.resolve(one))))
      .then(textOf)
      .catch((error: unknown) => failed(cx, error))
  } catch (error) {
    failed(cx, error)
  }
}

/** Metadata go as far as the call's own bounds: a token that never comes must not outlive them. */
function bounded<T>(cx: CallContext, given: Promise<T>): Promise<T> {
  const { scope } = cx
  if (scope === undefined) return given
  return new Promise((resolve, reject) => {
    const waiting: Abortable = {
      abort: reject,
      progress: (): Progress => ({ sent: 'no', text: 'its credentials had not come' }),
    }
    scope.add(waiting)
    given.finally(() => scope.remove(waiting)).then(resolve, reject)
  })
}

function textOf(given: readonly CredentialsMetadata[]): string {
  return given
    .map((metadata) => metadataText(metadata instanceof Metadata ? metadata : new Metadata(metadata)))
    .reduce(joinedTexts, '')
}

/** Codes that tell of what a server did, which did nothing here (gRFC A54). */
const ofServers: ReadonlySet<Code> = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'DATA_LOSS',
])

function failed(cx: CallContext, error: unknown): never {
  if (cx.scope?.reason !== undefined && cx.scope.reason === error) throw error
  const { service, wireName } = cx.method
  const text = error instanceof Error ? error.message : String(error)
  const known = VoloError.is(error) ? error.code : 'UNAUTHENTICATED'
  const code = ofServers.has(known) ? 'INTERNAL' : known
  throw new GrpcError(code, `${service}.${wireName} has no credentials: ${text}`, { cause: error })
}
