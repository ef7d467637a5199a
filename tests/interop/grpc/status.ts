import { Status } from 'volo-js'

/** The name of a status by its number. */
export function nameOf(status: number): keyof typeof Status {
  const found = Object.entries(Status).find(([, number]) => number === status)
  if (found === undefined) throw new Error(`there is no status ${status}`)
  return found[0] as keyof typeof Status
}
