import { noServerStats, type ServerStats } from '../core/stats.js'

/** Counters of several servers, added up. */
export function sumOf(stats: readonly ServerStats[]): ServerStats {
  return stats.reduce<ServerStats>((sum, more) => added(sum, more) as ServerStats, noServerStats)
}

/** Numbers are added, objects member by member; of anything else the first counts. */
function added(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one + other
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return one ?? other
  const left = one as Record<string, unknown>
  const right = other as Record<string, unknown>
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return Object.fromEntries(Array.from(names, (name) => [name, added(left[name], right[name])]))
}
