import { CallContext, type CallOrigin } from '../core/call-context.js'
import type { Endpoint } from '../core/endpoint.js'
import { VoloError } from '../core/errors.js'
import { Metadata } from '../core/metadata.js'
import type { MethodInfo } from '../core/method-info.js'
import type { Scope } from '../core/scope.js'
import { bizErrorOf, isBizName, type BizError } from './biz-error.js'
import { headerText, parseHeaders } from './header-text.js'
import { Metainfo } from './metainfo.js'

/** The service that calls, among the headers. */
const FROM_SERVICE = ':3'

/** The kind of a message, among the headers. */
const MESSAGE_TYPE = ':22'

/** The context of one Thrift call; layers and handlers see it as {@link ThriftContext}. */
export class ThriftCallContext extends CallContext {
  /** The context that this one was forked from; itself if it was not. */
  private readonly top: ThriftCallContext
  /** Headers as they came with a request; they are read when somebody asks. Undefined where the transport has none. */
  private readonly wire: string | undefined
  private info: Metainfo | undefined
  private callerName: Endpoint | undefined
  private otherAddress: string | undefined

  constructor(
    origin: CallOrigin,
    method: MethodInfo,
    target: object,
    slot: number,
    generation: number,
    connection: number,
    serial: number,
    wire: string | undefined,
    root?: ThriftCallContext,
  ) {
    super(origin, method, target, slot, generation, connection, serial, root)
    this.top = root ?? this
    this.wire = wire
    this.info = undefined
    this.callerName = undefined
    this.otherAddress = undefined
  }

  /** Has the request come with headers, so that an answer may have some? */
  get isHeaded(): boolean {
    return this.top.wire !== undefined
  }

  override get caller(): Endpoint {
    const root = this.top
    if (root.wire === undefined) return this.origin.caller
    root.read()
    return root.callerName ?? this.origin.caller
  }

  override get metadata(): Metadata {
    this.top.read()
    return super.metadata
  }

  get metainfo(): Metainfo {
    const root = this.top
    root.read()
    return (root.info ??= new Metainfo())
  }

  /** Where this call goes instead of where its client connects. */
  get elsewhere(): string | undefined {
    return this.top.otherAddress
  }

  /** What a client's caller gives. */
  configure(metainfo: Metainfo | undefined, metadata: Metadata | undefined, elsewhere: string | undefined): void {
    this.info = metainfo
    this.otherAddress = elsewhere
    if (metadata !== undefined) this.ownMetadata = metadata
  }

  /** Hands the persistent values of the call on for which this one is made. Those that this one has already stay. */
  inherit(from: ThriftCallContext): void {
    const { persistent } = from.metainfo
    if (persistent.size === 0) return
    const own = this.metainfo.persistent
    for (const [name, value] of persistent) if (!own.has(name)) own.set(name, value)
  }

  /** What goes with a request. */
  get requestText(): string {
    const { info, ownMetadata } = this.top
    return (info?.requestText() ?? '') + textOf(ownMetadata)
  }

  /** What goes with an answer. */
  get answerText(): string {
    const { info, ownResponse, wire } = this.top
    const bare = info !== undefined && info.backward.size > 0 && isOfKitex(wire ?? '')
    return (info?.answerText(bare) ?? '') + textOf(ownResponse?.headers)
  }

  /**
   * What came with an answer.
   * @returns the business error it is, if it is one.
   */
  answered(text: string): BizError | undefined {
    const root = this.top
    const headers = parseHeaders(text)
    root.info ??= new Metainfo()
    for (const [name, value] of root.info.take(headers)) {
      if (name.startsWith(':') || isBizName(name)) continue
      // Kitex's backward values have no prefix.
      if (!root.info.backward.has(name)) root.info.backward.set(name, value)
      this.response.headers.append(name, value)
    }
    return bizErrorOf(headers)
  }

  override fork(scope: Scope): ThriftCallContext {
    const { origin, method, target, slot, generation, connection, serial } = this
    const fork = new ThriftCallContext(
      origin,
      method,
      target,
      slot,
      generation,
      connection,
      serial,
      undefined,
      this.top,
    )
    fork.scope = scope
    return fork
  }

  /** Reads the request's headers, once. */
  private read(): void {
    if (this.wire === undefined || this.info !== undefined) return
    this.info = new Metainfo()
    const metadata = (this.ownMetadata ??= new Metadata())
    for (const [name, value] of this.info.take(parseHeaders(this.wire))) {
      if (name === FROM_SERVICE) this.callerName = { service: value, address: this.origin.caller.address }
      else if (!name.startsWith(':')) metadata.append(name, value)
    }
  }
}

/** Only Kitex, and clients of volo-js, tell the kind of a message among the headers. */
function isOfKitex(wire: string): boolean {
  return parseHeaders(wire).some(([name]) => name === MESSAGE_TYPE)
}

function textOf(metadata: Metadata | undefined): string {
  let text = ''
  if (metadata !== undefined) for (const [name, value] of metadata) text += headerText(name, value)
  return text
}

/**
 * The call's own context behind what a layer was given.
 * @throws VoloError INTERNAL if a layer outside put something of its own in its place.
 */
export function ownThriftContext(cx: CallContext): ThriftCallContext {
  if (cx instanceof ThriftCallContext) return cx
  throw new VoloError('INTERNAL', 'the context is not of a Thrift call of volo-js; layers must pass cx on as it is')
}
