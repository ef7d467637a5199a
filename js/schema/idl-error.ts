import { VoloError } from '../core/errors.js'

/** One mistake in an IDL file. */
export interface IdlMistake {
  /** The file, as it was given or reached by an include. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** In characters, from 1. */
  readonly column: number
  /** Characters from the column on that are meant. Default 1. */
  readonly width?: number
  /** What is wrong, in one sentence. */
  readonly message: string
  /** Text of the line; empty if the file could not be read. */
  readonly source: string
  /** What to do about it. */
  readonly hint?: string
}

/** Colours of {@link renderMistake}; each takes a text and gives it back with or without escapes. */
export interface Palette {
  readonly error: (text: string) => string
  readonly strong: (text: string) => string
  readonly frame: (text: string) => string
}

const plain: Palette = { error: (text) => text, strong: (text) => text, frame: (text) => text }

/** An IDL is wrong; the message shows every mistake with its line, as a compiler does. */
export class IdlError extends VoloError {
  readonly mistakes: readonly IdlMistake[]

  constructor(mistakes: readonly IdlMistake[]) {
    super('INVALID_ARGUMENT', mistakes.map((mistake) => renderMistake(mistake)).join('\n\n'))
    this.mistakes = mistakes
  }
}
Object.defineProperty(IdlError.prototype, 'name', { value: 'IdlError', configurable: true, writable: true })

/** A mistake in the layout of rustc's messages. */
export function renderMistake(mistake: IdlMistake, palette: Palette = plain): string {
  const { file, line, column, width = 1, message, source, hint } = mistake
  const { error, strong, frame } = palette
  const gutter = ' '.repeat(String(line).length)
  const lines = [`${error('error')}${strong(`: ${message}`)}`, `${gutter}${frame('-->')} ${file}:${line}:${column}`]
  if (source !== '') {
    // A tab above a tab keeps the caret in its column, however wide the terminal draws it.
    const before = Array.from(source).slice(0, column - 1)
    const indent = before.map((character) => (character === '\t' ? '\t' : ' ')).join('')
    lines.push(
      `${gutter} ${frame('|')}`,
      `${frame(`${line} |`)} ${source}`,
      `${gutter} ${frame('|')} ${indent}${error('^'.repeat(Math.max(1, width)))}`,
    )
  }
  if (hint !== undefined) lines.push(`${gutter} ${frame('=')} ${strong('help')}: ${hint}`)
  return lines.join('\n')
}
