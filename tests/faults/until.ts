import { setTimeout as wait } from 'node:timers/promises'

/** Waits for what comes without telling. Gives up after ten seconds, so that a test fails by its own words. */
export async function until(what: string, is: () => boolean): Promise<void> {
  for (let tries = 0; !is(); tries += 1) {
    if (tries === 2000) throw new Error(`waited in vain until ${what}`)
    await wait(5)
  }
}
