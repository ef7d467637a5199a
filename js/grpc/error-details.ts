/**
 * The messages that say more about an error: google/rpc/error_details.proto. They are few and rarely met, so they are not generated but interpreted from
 * the schema below.
 */
import type { MessageDescriptor } from '../core/descriptor.js'
import { LAYOUT_VERSION } from '../core/tape/layout.js'
import type { Field, Schema, Struct, Type } from '../schema/model.js'
import { defineProgram, interpreterOf, schemaHash } from '../schema/program.js'

/** A stretch of time: `google.protobuf.Duration`. */
interface DurationMessage {
  seconds: bigint
  /** Of the same sign as the seconds. */
  nanos: number
}

/** What of a message may be left out when it is written: everything. */
type Init<Message> = { [Name in keyof Message]?: InitValue<Message[Name]> | undefined }
type InitValue<Value> = Value extends readonly (infer Item extends object)[]
  ? readonly Init<Item>[]
  : Value extends DurationMessage
    ? Init<DurationMessage>
    : Value

/** What caused the error, for programs. */
export interface ErrorInfo {
  /** `UPPER_SNAKE_CASE`, at most 63 characters. */
  reason: string
  /** Who gives the reason its meaning: `pubsub.googleapis.com`. */
  domain: string
  metadata: Record<string, string>
}

/** When the caller may try again. */
export interface RetryInfo {
  retryDelay?: DurationMessage | undefined
}

/** What helps whoever looks after the server. */
export interface DebugInfo {
  stackEntries: string[]
  detail: string
}

/** Which quotas are used up. */
export interface QuotaFailure {
  violations: { subject: string; description: string }[]
}

/** What has to be done first. */
export interface PreconditionFailure {
  violations: { type: string; subject: string; description: string }[]
}

/** What is wrong with the request. */
export interface BadRequest {
  fieldViolations: { field: string; description: string }[]
}

/** How to find the request in logs. */
export interface RequestInfo {
  requestId: string
  servingData: string
}

/** The resource that could not be used. */
export interface ResourceInfo {
  resourceType: string
  resourceName: string
  owner: string
  description: string
}

/** Where to read on. */
export interface Help {
  links: { description: string; url: string }[]
}

/** The error in words for the user. */
export interface LocalizedMessage {
  /** BCP 47: `en-US`. */
  locale: string
  message: string
}

const structs: Struct[] = []

function field(id: number, name: string, type: Type, requiredness: Field['requiredness'] = 'default'): Field {
  return { id, name, type, requiredness }
}

/** Adds a message; its place among the others. */
function message(name: string, fields: readonly Field[]): number {
  return structs.push({ name, file: 0, kind: 'message', fields }) - 1
}

/** Adds a message whose fields are text, numbered from 1. */
function texts(name: string, ...names: readonly string[]): number {
  return message(
    name,
    names.map((each, index) => field(index + 1, each, 'string')),
  )
}

function many(struct: number): Type {
  return { list: { struct } }
}

const duration = message('google.protobuf.Duration', [field(1, 'seconds', 'i64'), field(2, 'nanos', 'i32')])
const quotaViolation = texts('google.rpc.QuotaFailure.Violation', 'subject', 'description')
const preconditionViolation = texts('google.rpc.PreconditionFailure.Violation', 'type', 'subject', 'description')
const fieldViolation = texts('google.rpc.BadRequest.FieldViolation', 'field', 'description')
const link = texts('google.rpc.Help.Link', 'description', 'url')

const errorInfo = message('google.rpc.ErrorInfo', [
  field(1, 'reason', 'string'),
  field(2, 'domain', 'string'),
  field(3, 'metadata', { map: ['string', 'string'] }),
])
const retryInfo = message('google.rpc.RetryInfo', [field(1, 'retry_delay', { struct: duration }, 'optional')])
const debugInfo = message('google.rpc.DebugInfo', [
  field(1, 'stack_entries', { list: 'string' }),
  field(2, 'detail', 'string'),
])
const quotaFailure = message('google.rpc.QuotaFailure', [field(1, 'violations', many(quotaViolation))])
const preconditionFailure = message('google.rpc.PreconditionFailure', [
  field(1, 'violations', many(preconditionViolation)),
])
const badRequest = message('google.rpc.BadRequest', [field(1, 'field_violations', many(fieldViolation))])
const requestInfo = texts('google.rpc.RequestInfo', 'request_id', 'serving_data')
const resourceInfo = texts('google.rpc.ResourceInfo', 'resource_type', 'resource_name', 'owner', 'description')
const help = message('google.rpc.Help', [field(1, 'links', many(link))])
const localizedMessage = texts('google.rpc.LocalizedMessage', 'locale', 'message')

const schema = JSON.stringify({ structs, methods: [], services: [] } satisfies Schema)
const program = defineProgram({
  version: '',
  layout: LAYOUT_VERSION,
  int64: 'bigint',
  hash: schemaHash(schema),
  schema,
})

/** A descriptor whose codec is made when it is first used. */
function schemaOf<Message>(index: number): MessageDescriptor<Message, Init<Message>> {
  const made = (): MessageDescriptor => interpreterOf(program).message(program, index)
  return {
    name: structs[index].name,
    program,
    index,
    read: (t, p) => made().read(t, p) as Message,
    write: (t, value) => made().write(t, value),
  }
}

export const ErrorInfoSchema = schemaOf<ErrorInfo>(errorInfo)
export const RetryInfoSchema = schemaOf<RetryInfo>(retryInfo)
export const DebugInfoSchema = schemaOf<DebugInfo>(debugInfo)
export const QuotaFailureSchema = schemaOf<QuotaFailure>(quotaFailure)
export const PreconditionFailureSchema = schemaOf<PreconditionFailure>(preconditionFailure)
export const BadRequestSchema = schemaOf<BadRequest>(badRequest)
export const RequestInfoSchema = schemaOf<RequestInfo>(requestInfo)
export const ResourceInfoSchema = schemaOf<ResourceInfo>(resourceInfo)
export const HelpSchema = schemaOf<Help>(help)
export const LocalizedMessageSchema = schemaOf<LocalizedMessage>(localizedMessage)
