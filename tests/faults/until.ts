import { setTimeout as wait } from 'node:timers/promises'

/** Waits for what comes without telling. Gives up after some forty seconds, for the machine may be busy, so that a test fails by its own words. */
export async function until(what: string, is: () => boolean): Promise<void> {
  for (let tries = 0; !is(); tries += 1) {
    if (tries === 8000) throw new Error(`waited in vain until ${what}`)
    await wait(5)
  }
}
