/**
 * What the conformance runner of Protobuf tests: a program that is asked on standard input to read a message in one form and to write it in
 * another, and answers on standard output. It uses what users have: generated code, and `volo-js/protobuf`.
 */
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { fromBinary, fromJson, toBinary, toJson } from 'volo-js/protobuf'

/** @typedef {import('volo-js/protobuf').MessageDescriptor} MessageDescriptor */

const [, , index] = process.argv
/** @type {Map<string, MessageDescriptor>} */
const messages = new Map()
gather(await import(pathToFileURL(index ?? '').href))
const Request = found('conformance.ConformanceRequest')
const Response = found('conformance.ConformanceResponse')

// Requests are marked off by their length, and so are answers.
let unread = Buffer.alloc(0)
for await (const chunk of process.stdin) {
  unread = Buffer.concat([unread, chunk])
  while (unread.length >= 4 && unread.length >= 4 + unread.readUInt32LE(0)) {
    const end = 4 + unread.readUInt32LE(0)
    const answer = toBinary(Response, { result: answerTo(fromBinary(Request, unread.subarray(4, end))) })
    unread = unread.subarray(end)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(answer.length, 0)
    process.stdout.write(Buffer.concat([length, answer]))
  }
}

/** Descriptors of a module, and of the namespaces in it. */
function gather(/** @type {Record<string, any>} */ module) {
  for (const value of Object.values(module)) {
    if (value?.[Symbol.toStringTag] === 'Module') gather(value)
    else if (typeof value?.read === 'function') messages.set(value.name, value)
  }
}

function found(/** @type {string} */ name) {
  const message = messages.get(name)
  if (message === undefined) throw new Error(`the generated code has no message ${name}`)
  return message
}

/** The `result` of a response. */
function answerTo(/** @type {any} */ request) {
  const { payload, requestedOutputFormat: format, messageType, testCategory } = request
  // Neither is asked of anybody: JSPB is Google's own, and text is for people.
  const isKnown = payload.case === 'protobufPayload' || payload.case === 'jsonPayload'
  if (!isKnown || (format !== 1 && format !== 2)) return { case: 'skipped', value: 'JSPB and text are not supported' }
  if (messageType === 'conformance.FailureSet') return { case: 'protobufPayload', value: new Uint8Array() }
  const type = messages.get(messageType)
  if (type === undefined) return { case: 'skipped', value: `${messageType} is not known` }
  let message
  try {
    message =
      payload.case === 'protobufPayload'
        ? fromBinary(type, payload.value)
        : fromJson(type, JSON.parse(payload.value), { ignoreUnknownFields: testCategory === 3 })
  } catch (error) {
    return { case: 'parseError', value: String(error) }
  }
  try {
    return format === 1
      ? { case: 'protobufPayload', value: toBinary(type, message) }
      : { case: 'jsonPayload', value: JSON.stringify(toJson(type, message)) }
  } catch (error) {
    return { case: 'serializeError', value: String(error) }
  }
}
