/** Estate and Annex of tests/fixtures/estate.thrift, served and called. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  BizError,
  Client,
  type Handlers,
  Server,
  type ServerHandle,
  type ServiceDescriptor,
  ThriftApplicationError,
  type ThriftContext,
} from 'volo-js/thrift'
import { Annex, Estate, Missing, Refused } from '../../volo-gen/estate/index.js'
import type { Form } from './peers.js'

/** What a context knows of a call, as `meta` returns it. */
function describe(cx: ThriftContext): Record<string, string> {
  const { persistent, transient } = cx.metainfo
  return Object.fromEntries([
    ['method', cx.method.name],
    ...(cx.caller.service === '' ? [] : [['caller', cx.caller.service]]),
    ...(cx.deadline === undefined ? [] : [['timeout', `${Math.ceil(cx.deadline - Date.now())}`]]),
    ...[...persistent].map(([key, value]) => [`persistent:${key}`, value]),
    ...[...transient].map(([key, value]) => [`transient:${key}`, value]),
  ]) as Record<string, string>
}

/** Handlers with notes of their own. */
function estate(): Handlers<typeof Estate> {
  let heard: string[] = []
  return {
    echo: (parcel) => parcel,
    turn: (gate) => ({ ...gate, open: !gate.open }),
    blob: (data) => data,
    fail: (kind) => {
      if (kind === 'missing') throw new Missing({ what: kind })
      if (kind === 'refused') throw new Refused({ reason: kind, level: 3 })
      if (kind === 'broken') throw new ThriftApplicationError(kind)
      return 'fine'
    },
    biz: (code) => {
      if (code === 0) return 'fine'
      const message = `biz ${code}`
      throw code < 1000 ? new BizError(code, message) : new BizError(code, message, { reason: `${code}` })
    },
    meta: (_, cx) => {
      cx.metainfo.backward.set('server-says', 'hello')
      return describe(cx)
    },
    chain: async (address, cx) => {
      await using next = Client.of(Estate, 'estate').caller('estate').address(address).transport('ttheader').build()
      return await next.meta({}, { parent: cx })
    },
    sleep: async (ms) => {
      await wait(ms)
      return ms
    },
    note: (text) => {
      heard.push(text)
    },
    notes: () => {
      const all = heard
      heard = []
      return all
    },
    who: () => 'Estate',
  }
}

const annex: Handlers<typeof Annex> = { who: () => 'Annex', twice: (number) => 2 * number }

/** Both services on a port of its own; Estate is the one that calls without a service's name reach. */
export function serve(onError: (error: unknown) => void): Promise<ServerHandle> {
  return new Server().add(Estate, estate()).add(Annex, annex).options({ onError }).listen('127.0.0.1:0')
}

/** The name that this side's clients give. */
export const CALLER = 'volo-js-client'

/** A client of one of the services at an address. */
export function connect<S extends ServiceDescriptor>(service: S, callee: string, address: string, form: Form) {
  const builder = Client.of(service, callee)
    .caller(CALLER)
    .address(address)
    .protocol(form.protocol)
    .transport(form.transport === 'framed' ? 'framed' : 'ttheader')
  return form.mux ? builder.multiplexed({ connections: 1 }) : builder.pool({ size: 8 })
}
