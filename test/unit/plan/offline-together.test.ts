// Sets that switch together, in a comparison of two commits without an engine.

import { describe, expect, it } from 'vitest'

import { planOffline } from '../../../src/plan/offline.ts'
import { leaf, refusal, treeOf, verdictOn } from './build.ts'

const tree = (generation: number) =>
  treeOf(
    {
      'set/set.yaml': 'update: {together: true}\n',
      'set/api.yaml': leaf(generation),
      'set/db.yaml': leaf(generation, 'volumes: ["data:/data"]'),
      'set/kept.yaml': leaf(1),
    },
    'volumes: {data: {}}\n',
  )

const compare = (refused = new Map() as ReturnType<typeof refusal>) =>
  planOffline({ before: tree(1), after: tree(2), refused, removalLimit: 3 })

describe('without an engine, a set that switches together', () => {
  it('names who switches with whom, and the gap that is to be expected', () => {
    const [api, db, kept] = ['api', 'db', 'kept'].map((name) => verdictOn(compare(), name))
    expect([api?.kind, db?.kind, kept?.kind]).toEqual(['replace', 'replace', 'keep'])
    expect(api?.notes).toContain('it switches together with db')
    expect(api?.gap?.milliseconds).toBe(0)
    expect(db?.gap).toEqual({ milliseconds: null, because: 'about a stop, a start and its check' })
    expect(kept?.notes).not.toContain('it switches together with api and db')
  })

  it('is held by a member that is refused and would change, and by no other', () => {
    const held = compare(refusal('db', 'not granted'))
    expect(verdictOn(held, 'api')).toMatchObject({
      kind: 'hold',
      because: 'switches together with db, which is refused: not granted',
      gap: null,
    })
    expect(verdictOn(compare(refusal('kept', 'not granted')), 'api').kind).toBe('replace')
  })
})
