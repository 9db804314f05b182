// What may go by itself, and what waits for a person.

import { describe, expect, it } from 'vitest'

import { guardRemovals, heldWords } from '../../../src/plan/removal-guard.ts'
import { hostOf, leaf, planOf, treeOf, verdictOn } from './build.ts'

const going = (...leaves: string[]) => leaves.map((name) => ({ leaf: name, id: `id-${name}` }))

describe('what waits', () => {
  const tree = treeOf({ web: leaf(1) })
  const empty = treeOf({})

  it('is more than the limit, and anything at all where the commit declares no leaf', () => {
    expect(guardRemovals({ tree, going: going('a', 'b'), limit: 2 })).toBeNull()
    const above = guardRemovals({ tree, going: going('a', 'b', 'c'), limit: 2 })
    expect(above).toMatchObject({ because: 'limit', count: 3, names: ['a', 'b', 'c'], ids: ['id-a', 'id-b', 'id-c'] })
    expect(heldWords(above ?? never())).toBe('3 leaves would be removed, more than the 2 allowed without confirmation')
    const all = guardRemovals({ tree: empty, going: going('a'), limit: 100 })
    expect(all).toMatchObject({ because: 'empty', count: 1 })
    expect(heldWords(all ?? never())).toBe('the commit declares no leaf at all, and 1 leaf would be removed')
    expect(guardRemovals({ tree: empty, going: [], limit: 0 })).toBeNull()
  })

  it('an ingress alone is no leaf', () => {
    const ingress = treeOf({}, 'ingress: {image: haproxy:3, generation: 1}\n')
    expect(ingress.leaves.size).toBe(1)
    expect(guardRemovals({ tree: ingress, going: going('a'), limit: 9 })).toMatchObject({ because: 'empty' })
  })

  it('has another digest for another commit and for other containers', () => {
    const digest = (leaves: readonly { leaf: string; id: string }[], id = '1') =>
      guardRemovals({ tree: { ...empty, commit: { ...COMMIT, id } }, going: leaves, limit: 0 })?.digest
    const digests = [
      digest(going('a')),
      digest(going('a'), '2'),
      digest(going('a', 'b')),
      digest([{ leaf: 'a', id: 'id-b' }]),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    expect(digest(going('a'))).toBe(digests[0])
    expect(digests[0]).toMatch(/^[0-9a-f]{12}$/)
  })
})

describe('an approval', () => {
  it('counts for the containers that were shown, also when some of them have gone, and for no others', async () => {
    const before = treeOf({ aa: leaf(1), bb: leaf(1) })
    const empty = treeOf({})
    const host = await hostOf(before)
    const [aa, bb] = [await host.put(before, 'aa'), await host.put(before, 'bb')]
    const observed = await host.observe(before)
    const planned = (ids: readonly string[], seen = observed) =>
      planOf(empty, seen, { removals: { limit: 100, confirmed: false, approved: new Set(ids) } })
    expect(planned([]).removalHeld).toMatchObject({ because: 'empty', ids: [aa, bb] })
    expect(verdictOn(planned([aa]), 'aa')).toMatchObject({
      kind: 'hold',
      because: expect.stringContaining('no leaf at all'),
    })
    expect(planned([aa]).removalHeld).not.toBeNull()
    expect(planned([aa, bb]).removalHeld).toBeNull()
    expect(verdictOn(planned([aa, bb]), 'aa').kind).toBe('remove')
    const later = { ...observed, containers: observed.containers.filter(({ id }) => id !== aa) }
    expect(planned([aa, bb], later).removalHeld).toBeNull()
  })
})

const COMMIT = { id: '1', parents: [], subject: '', author: '', time: 0 }

function never(): never {
  throw new Error('nothing is held')
}
