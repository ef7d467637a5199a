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
