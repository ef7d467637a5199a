/**
 * Reads JSON text (RFC 8259) without losing what `JSON.parse` loses: digits of large integers, names that are there twice, the order of names that look
 * like numbers.
 */
import { TapeTypeError } from '../../core/tape/errors.js'
import { wholeOfText } from '../../schema/json-scalars.js'
import { checkDepth } from '../../schema/json-value.js'

/**
 * What a text says: objects are Maps, integers that have no exact number are bigints up to 20 digits, everything else is as `JSON.parse` gives it.
 * @throws TapeTypeError, with an empty path, telling the place in the text.
 */
export function parseText(text: string): unknown {
  const reader = new TextReader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

const spaces = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// eslint-disable-next-line no-control-regex -- JSON wants control characters escaped.
const plain = /[^"\\\u0000-\u001f]*/y
const words = new Map<string, null | boolean>([
  ['n', null],
  ['t', true],
  ['f', false],
])

/** Digits that every number has room for. */
const EXACT_DIGITS = 15

class TextReader {
  #at = 0

  constructor(private readonly text: string) {}

  value(depth: number): unknown {
    this.#skip(spaces)
    const first = this.text[this.#at]
    switch (first) {
      case '{':
        checkDepth('', depth + 1)
        return this.#object(depth + 1)
      case '[':
        checkDepth('', depth + 1)
        return this.#array(depth + 1)
      case '"':
        return this.#string()
      case 'n':
      case 't':
      case 'f':
        return this.#word(first)
      default:
        return this.#number()
    }
  }

  /** Nothing may follow. */
  end(): void {
    this.#skip(spaces)
    if (this.#at < this.text.length) this.#fail('the end')
  }

  #object(depth: number): Map<string, unknown> {
    const members = new Map<string, unknown>()
    this.#at++
    this.#skip(spaces)
    if (this.#take('}')) return members
    do {
      this.#skip(spaces)
      if (this.text[this.#at] !== '"') this.#fail('a name in quotes')
      const start = this.#at
      const name = this.#string()
      if (members.has(name)) {
        throw new TapeTypeError(
          '',
          `the name ${JSON.stringify(name)} is there twice in an object, at character ${start}`,
        )
      }
      this.#skip(spaces)
      if (!this.#take(':')) this.#fail("':'")
      members.set(name, this.value(depth))
      this.#skip(spaces)
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail("',' or '}'")
    return members
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = []
    this.#at++
    this.#skip(spaces)
    if (this.#take(']')) return items
    do {
      items.push(this.value(depth))
      this.#skip(spaces)
    } while (this.#take(','))
    if (!this.#take(']')) this.#fail("',' or ']'")
    return items
  }

  #string(): string {
    const { text } = this
    const start = this.#at++
    this.#skip(plain)
    if (this.#take('"')) return text.slice(start + 1, this.#at - 1)
    while (text[this.#at] === '\\') {
      this.#at += 2
      this.#skip(plain)
    }
    if (!this.#take('"')) this.#fail("the end of a string, '\"'")
    try {
      return JSON.parse(text.slice(start, this.#at)) as string
    } catch {
      this.#at = start
      return this.#fail('a string whose escapes JSON knows')
    }
  }

  #word(first: string): null | boolean {
    const value = words.get(first) as null | boolean
    if (!this.text.startsWith(String(value), this.#at)) this.#fail('a value')
    this.#at += String(value).length
    return value
  }

  #number(): number | bigint {
    number.lastIndex = this.#at
    const [digits] = number.exec(this.text) ?? this.#fail('a value')
    this.#at += digits.length
    const value = Number(digits)
    if (digits.length <= EXACT_DIGITS) return value
    const whole = wholeOfText(digits)
    return whole === undefined || Number.isSafeInteger(value) ? value : whole
  }

  #skip(what: RegExp): void {
    what.lastIndex = this.#at
    what.test(this.text)
    this.#at = what.lastIndex
  }

  #take(character: string): boolean {
    if (this.text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #fail(expected: string): never {
    const found = this.text[this.#at]
    const got = found === undefined ? 'it ends' : `there is ${JSON.stringify(found)}`
    throw new TapeTypeError('', `no JSON: expected ${expected} at character ${this.#at}, but ${got}`)
  }
}
