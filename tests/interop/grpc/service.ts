/** The server's side of gRPC's interoperability tests (grpc/grpc, doc/interop-test-descriptions.md, "Server"). */
import { setTimeout as sleep } from 'node:timers/promises'
import { VoloError, type Code, type GrpcContext, type Handlers } from 'volo-js'
import {
  PayloadType,
  type EchoStatus,
  type Payload,
  type ResponseParameters,
  type SimpleRequest,
  type StreamingOutputCallResponse,
} from '../../volo-gen/grpc/messages.js'
import type { TestService } from '../../volo-gen/grpc/test.js'
import { nameOf } from './status.js'

/** Metadata that a server gives back. */
export const INITIAL = 'x-grpc-test-echo-initial'
export const TRAILING = 'x-grpc-test-echo-trailing-bin'

export const payload = (size: number): Payload => ({ type: PayloadType.COMPRESSABLE, body: new Uint8Array(size) })

/** Puts the metadata that are to come back where they belong. */
function echo({ metadata, response }: GrpcContext): void {
  const initial = metadata.get(INITIAL)
  if (initial !== undefined) response.headers.set(INITIAL, initial)
  for (const value of metadata.getAll(TRAILING)) response.trailers.append(TRAILING, value)
}

/** @throws the status that a request asks for, if it does. */
function obey(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new VoloError(nameOf(status.code) as Code, status.message)
}

async function* answer(parameters: readonly ResponseParameters[]): AsyncGenerator<StreamingOutputCallResponse> {
  for (const { size, intervalUs } of parameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1000)
    yield { payload: payload(size) }
  }
}

function unary({ responseSize, responseStatus }: SimpleRequest, cx: GrpcContext): { payload: Payload } {
  echo(cx)
  obey(responseStatus)
  return { payload: payload(responseSize) }
}

/**
 * Everything but `expect_compressed`, which asks how a message came over the wire. Handlers are not told.
 */
export const testService: Handlers<typeof TestService> = {
  emptyCall: (_request, cx) => {
    echo(cx)
    return {}
  },
  unaryCall: unary,
  cacheableUnaryCall: unary,
  async *streamingOutputCall({ responseParameters }, cx) {
    echo(cx)
    yield* answer(responseParameters)
  },
  async streamingInputCall(requests) {
    let sum = 0
    for await (const { payload: sent } of requests) sum += sent?.body.length ?? 0
    return { aggregatedPayloadSize: sum }
  },
  async *fullDuplexCall(requests, cx) {
    echo(cx)
    for await (const { responseParameters, responseStatus } of requests) {
      obey(responseStatus)
      yield* answer(responseParameters)
    }
  },
  async *halfDuplexCall(requests, cx) {
    echo(cx)
    const asked: ResponseParameters[] = []
    for await (const { responseParameters } of requests) asked.push(...responseParameters)
    yield* answer(asked)
  },
  unimplementedCall: () => {
    throw new VoloError('UNIMPLEMENTED', 'nobody implements this')
  },
}
