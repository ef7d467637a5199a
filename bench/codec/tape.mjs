/** Messages on a tape in, laid by hand: what Rust would have put there. `docs/architecture.md` describes the layout. */

/** @typedef {{ id: bigint, title: string, content: string, extra: Record<string, string> }} Item */

/** Room for the messages of {@link layReplies}. */
const SLOTS = 4096
const TEXT = 65536

/**
 * A tape with replies that hold an item each.
 * @param {{ new (slots: BigInt64Array, text: Uint8Array, bytes: Uint8Array): any }} InTape
 * @param {readonly Item[]} items
 * @param {boolean} shared whether the messages share one text chunk, as those of a busy connection do
 * @param {'thrift' | 'grpc'} [protocol] in Thrift the response is a field of a result; messages of Protobuf have a slot more, for unknown fields
 */
export function layReplies(InTape, items, shared, protocol = 'thrift') {
  const unknown = protocol === 'grpc' ? 1 : 0
  const slots = new BigInt64Array(SLOTS)
  const text = Buffer.from(new ArrayBuffer(TEXT))
  const i32 = new Int32Array(slots.buffer)
  let end = 1
  let textEnd = 0
  let chunk = 0
  /** @type {number[]} */
  const messages = []

  const string = (/** @type {number} */ slot, /** @type {string} */ value) => {
    text.latin1Write(value, textEnd)
    i32[2 * slot] = textEnd - chunk
    i32[2 * slot + 1] = value.length
    textEnd += value.length
  }
  const point = (/** @type {number} */ slot, /** @type {number} */ target, /** @type {number} */ count) => {
    i32[2 * slot] = target - slot
    i32[2 * slot + 1] = count
  }

  for (const item of items) {
    const message = end
    if (!shared) chunk = textEnd
    const body = message + 4
    const response = protocol === 'grpc' ? body : body + 2
    const laid = response + 2 + unknown
    const entries = Object.entries(item.extra)
    const map = laid + 5 + unknown
    if (response !== body) {
      i32[2 * body] = 1
      point(body + 1, response, 0)
    }
    i32[2 * response] = 1
    point(response + 1, laid, 0)
    i32[2 * laid] = 0b1111
    slots[laid + 1] = item.id
    string(laid + 2, item.title)
    string(laid + 3, item.content)
    point(laid + 4, map, entries.length)
    entries.forEach(([key, value], index) => {
      string(map + 2 * index, key)
      string(map + 2 * index + 1, value)
    })
    end = map + 2 * entries.length
    i32.set([2, end - message, 0, 1, 0, 0, chunk, textEnd - chunk], 2 * message)
    messages.push(message)
  }
  // The first message of a chunk carries the length of the whole.
  if (shared) i32[2 * messages[0] + 7] = textEnd
  i32[0] = end
  return { tape: new InTape(slots, text, new Uint8Array(0)), messages }
}
