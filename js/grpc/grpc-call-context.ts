import { CallContext, type CallOrigin } from '../core/call-context.js'
import { VoloError } from '../core/errors.js'
import type { Metadata } from '../core/metadata.js'
import type { MethodInfo } from '../core/method-info.js'
import type { Scope } from '../core/scope.js'
import type { CallCredentials } from './call-credentials.js'
import { checkCompression, type Compression } from './grpc-options.js'
import { encodingBits, Flags } from './message-body.js'
import { metadataOf, metadataText } from './metadata-text.js'

/** Sees one message of a stream, synchronously. */
export type Tap = (message: unknown) => void

/** What a client's caller wants to be told of, and how the call is to be made. */
export interface GrpcCallSettings {
  readonly onHeader?: ((metadata: Metadata) => void) | undefined
  readonly onTrailer?: ((metadata: Metadata) => void) | undefined
  readonly waitForReady?: boolean | undefined
  readonly compression?: Compression | false | undefined
  readonly credentials?: CallCredentials | undefined
}

const noSettings: GrpcCallSettings = {}

/** What a context can make the call do that it belongs to. */
export interface HeaderSender {
  sendHeaders(cx: GrpcCallContext, text: string): void
}

/** The context of one gRPC call; layers and handlers see it as {@link GrpcContext}. */
export class GrpcCallContext extends CallContext {
  /** The context that this one was forked from; itself if it was not. */
  private readonly top: GrpcCallContext
  /** Metadata as it came; the object is made when somebody asks for it. */
  private readonly wire: string
  /** Sends initial metadata; undefined on a client, and once they are on their way. */
  private sender: HeaderSender | undefined
  private settings: GrpcCallSettings
  /** How this side's messages are compressed; undefined for what the options say. */
  private compression: Compression | false | undefined
  /** A scope that ends with the call. */
  private endsWith: Scope | undefined
  private sendTaps: Tap[] | undefined
  private receiveTaps: Tap[] | undefined

  constructor(
    origin: CallOrigin,
    method: MethodInfo,
    target: object,
    slot: number,
    generation: number,
    connection: number,
    serial: number,
    wire: string,
    sender: HeaderSender | undefined,
    root?: GrpcCallContext,
  ) {
    super(origin, method, target, slot, generation, connection, serial, root)
    this.top = root ?? this
    this.wire = wire
    this.sender = sender
    this.settings = noSettings
    this.compression = undefined
    this.endsWith = undefined
    this.sendTaps = undefined
    this.receiveTaps = undefined
  }

  override get protocol(): 'grpc' {
    return 'grpc'
  }

  override get metadata(): Metadata {
    const root = this.top
    return (root.ownMetadata ??= metadataOf(root.wire))
  }

  /** What a client's caller wants. */
  configure(settings: GrpcCallSettings, metadata: Metadata | undefined): void {
    this.settings = settings
    if (settings.compression !== undefined) this.compress(settings.compression)
    if (metadata !== undefined) this.ownMetadata = metadata
  }

  get hooks(): GrpcCallSettings {
    return this.top.settings
  }

  get waitForReady(): boolean {
    return this.top.settings.waitForReady === true
  }

  /** The call streams its answer: the scope around it lasts until the stream is over, not until it begins. */
  endWith(scope: Scope): void {
    this.endsWith = scope
  }

  /** The call is over. */
  ended(): void {
    const root = this.top
    root.endsWith?.end()
    root.endsWith = undefined
  }

  /** Text of the metadata that go with a request. */
  get requestText(): string {
    return metadataText(this.top.ownMetadata)
  }

  onSend(tap: Tap): void {
    const root = this.top
    if (root.sendTaps === undefined) root.sendTaps = [tap]
    else root.sendTaps.push(tap)
  }

  onReceive(tap: Tap): void {
    const root = this.top
    if (root.receiveTaps === undefined) root.receiveTaps = [tap]
    else root.receiveTaps.push(tap)
  }

  sending(message: unknown): void {
    const taps = this.top.sendTaps
    if (taps !== undefined) for (const tap of taps) tap(message)
  }

  received(message: unknown): void {
    const taps = this.top.receiveTaps
    if (taps !== undefined) for (const tap of taps) tap(message)
  }

  compress(how: Compression | false): void {
    this.top.compression = how === false ? how : checkCompression(how)
  }

  /** Flags of what begins this side's part of the call: its messages' encoding. */
  get encodingFlags(): number {
    return encodingBits(this.top.compression)
  }

  /** Flags of a message. */
  get messageFlags(): number {
    return this.top.compression === false ? Flags.UNCOMPRESSED : 0
  }

  /** Sends the initial metadata now, instead of with the first message. Later calls change nothing. */
  sendHeaders(): void {
    const root = this.top
    const { sender } = root
    if (sender === undefined) return
    const text = metadataText(root.ownResponse?.headers)
    root.sender = undefined
    sender.sendHeaders(root, text)
  }

  /** The initial metadata that are not on their way yet; from now on they are. */
  takeHeadersText(): string {
    const root = this.top
    if (root.sender === undefined) return ''
    root.sender = undefined
    return metadataText(root.ownResponse?.headers)
  }

  get trailersText(): string {
    return metadataText(this.top.ownResponse?.trailers)
  }

  /** What came with an answer. */
  set responseHeaders(text: string) {
    if (text !== '') for (const [name, value] of metadataOf(text)) this.response.headers.append(name, value)
  }

  set responseTrailers(text: string) {
    if (text !== '') for (const [name, value] of metadataOf(text)) this.response.trailers.append(name, value)
  }

  override fork(scope: Scope): GrpcCallContext {
    const { origin, method, target, slot, generation, connection, serial } = this
    const fork = new GrpcCallContext(
      origin,
      method,
      target,
      slot,
      generation,
      connection,
      serial,
      '',
      undefined,
      this.top,
    )
    fork.scope = scope
    return fork
  }
}

/**
 * The call's own context behind what a layer was given.
 * @throws VoloError INTERNAL if a layer outside put something of its own in its place.
 */
export function ownGrpcContext(cx: CallContext): GrpcCallContext {
  if (cx instanceof GrpcCallContext) return cx
  throw new VoloError('INTERNAL', 'the context is not of a gRPC call of volo-js; layers must pass cx on as it is')
}
