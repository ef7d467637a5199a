/** Test counts from what test runners print. */

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Sums the `test result:` lines of cargo (a test binary each).
 * @param {string} output
 * @returns {Counts}
 */
export function countCargo(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const line of output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    counts.passed += Number(line[1])
    counts.failed += Number(line[2])
    counts.skipped += Number(line[3])
  }
  return counts
}

/**
 * Counts the points of a TAP stream. Tests that are skipped or to be done count as neither passed nor failed.
 * @param {string} output
 * @returns {Counts}
 */
export function countTap(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const line of output.matchAll(/^(not )?ok \d+.*$/gm)) {
    if (/# (SKIP|TODO)\b/i.test(line[0])) counts.skipped++
    else if (line[1] === undefined) counts.passed++
    else counts.failed++
  }
  return counts
}

/**
 * The last `N passed, N failed` of a program that prints its own sum.
 * @param {string} output
 * @returns {Counts}
 */
export function countSum(output) {
  const last = [...output.matchAll(/(\d+) passed, (\d+) failed/g)].at(-1)
  return { passed: Number(last?.[1] ?? 0), failed: Number(last?.[2] ?? 0), skipped: 0 }
}

/**
 * Expectations of a type test: mistakes the compiler must find, and types that must be the same.
 * @param {string} source
 */
export function countExpectations(source) {
  return source.match(/^\s*(\/\/ @ts-expect-error|same<|expectType<)/gm)?.length ?? 0
}
