// What a set that switches together means for a comparison of two commits: its members change with one another, or not
// at all.

import type { Tree } from '../desired/tree.ts'
import { inWords } from './name-list.ts'
import { togetherSets } from './together.ts'
import type { Verdict, VerdictKind } from './verdict.ts'

const CHANGES: ReadonlySet<VerdictKind> = new Set(['create', 'replace', 'run'])

/** `before` null: everything is new. */
export function switchTogether(verdicts: readonly Verdict[], before: Tree | null, after: Tree): Verdict[] {
  const sets = togetherSets(after)
  const changing = new Map<string, string[]>()
  const blocked = new Map<string, string>()
  for (const { leaf, kind, because, fromGeneration, toGeneration } of verdicts) {
    const set = sets.get(leaf)
    if (set === undefined) continue
    if (CHANGES.has(kind)) changing.set(set, [...(changing.get(set) ?? []), leaf])
    const differs = fromGeneration !== toGeneration || before?.leaves.get(leaf)?.ledgerDigest !== digestOf(after, leaf)
    if ((kind !== 'refuse' && kind !== 'hold') || !differs || blocked.has(set)) continue
    blocked.set(set, `switches together with ${leaf}, which is ${kind === 'hold' ? 'held' : 'refused'}: ${because}`)
  }
  return verdicts.map((verdict) => {
    const set = sets.get(verdict.leaf)
    if (set === undefined || !CHANGES.has(verdict.kind)) return verdict
    const because = blocked.get(set)
    if (because !== undefined) return { ...verdict, kind: 'hold', because, gap: null, order: null }
    const others = (changing.get(set) ?? []).filter((name) => name !== verdict.leaf)
    if (others.length === 0) return verdict
    return { ...verdict, notes: [...verdict.notes, `it switches together with ${inWords(others)}`] }
  })
}

function digestOf(tree: Tree, leaf: string): string | undefined {
  return tree.leaves.get(leaf)?.ledgerDigest
}
