/** Where a command writes; tests put something else in its place. */
export interface Output {
  readonly stdout: Stream
  readonly stderr: Stream
}

/** The part of a stream that commands use. */
export interface Stream {
  readonly isTTY?: boolean
  write(text: string): unknown
}
