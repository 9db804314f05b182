// The watch says each invariant when it is broken, and says nothing when it is not.

import { describe, expect, test } from 'vitest'

import type { Look } from '../../invariants/look.ts'
import { DOWN, lookAt, said, seen, watching } from './picture.ts'

/** What is said after these looks, one after the other. */
function after(looks: readonly Look[], ...watch: Parameters<typeof watching>): string[] {
  const one = watching(...watch)
  for (const look of looks) one.see(look)
  return said(one)
}

describe('I1: what was healthy never has nothing healthy', () => {
  const gone = 'I1: web was healthy, and nothing healthy of it is left'
  const up = lookAt([seen('web')])

  test('it is down, paused, sick or not there', () => {
    expect(after([up, lookAt([seen('web', DOWN)])])).toEqual([gone])
    expect(after([up, lookAt([seen('web', { healthy: false })])])).toEqual([gone])
    expect(after([up, lookAt([])])).toEqual([gone])
  })
  test('it is said once', () => {
    expect(after([up, lookAt([]), lookAt([]), up, lookAt([])])).toEqual([gone])
  })
  test('a candidate alone does not serve', () => {
    expect(after([up, lookAt([seen('web', DOWN), seen('web.next')])])).toEqual([gone])
  })
  test('a swap, start-first, between the two renames too', () => {
    const retired = seen('web.prev-abc123')
    const looks = [
      up,
      lookAt([seen('web'), seen('web.next')]),
      lookAt([retired, seen('web.next')]),
      lookAt([retired, seen('web')]),
      up,
    ]
    expect(after(looks)).toEqual([])
  })
  test('it never was healthy', () => {
    expect(after([lookAt([seen('web', { healthy: false })]), lookAt([])])).toEqual([])
  })
  test('not every commit wants it, and then it counts from its next healthy look on', () => {
    let wanted = false
    const watch = watching({ isWanted: () => wanted })
    watch.see(up)
    watch.see(lookAt([]))
    wanted = true
    watch.see(lookAt([seen('web', DOWN)]))
    expect(said(watch)).toEqual([])
    watch.see(up)
    watch.see(lookAt([]))
    expect(said(watch)).toEqual([gone])
  })
  test('an exclusive leaf may be down', () => {
    expect(after([lookAt([seen('store')]), lookAt([seen('store', DOWN)])])).toEqual([])
  })
  test('what it was before it changed its class does not count', () => {
    let startFirst = true
    const watch = watching({ isStartFirst: (leaf) => leaf === 'web' && startFirst })
    watch.see(up)
    startFirst = false
    watch.see(lookAt([seen('web', DOWN)]))
    startFirst = true
    watch.see(lookAt([seen('web', DOWN)]))
    expect(said(watch)).toEqual([])
  })
  test('without continuity a look alone says nothing', () => {
    expect(after([up, lookAt([])], {}, false)).toEqual([])
  })

  const last = 'I1: web is taken down, the only healthy one of web'
  const takenDown = (look: Look, container: string, expected = {}): string[] => {
    const watch = watching(expected, false)
    watch.takesDown(look, container)
    return said(watch)
  }

  test('graft takes the only healthy one down, whatever it is called by', () => {
    const look = lookAt([seen('web', { id: 'abc123' }), seen('store', { id: 'abd456' })])
    expect(takenDown(look, 'abc123')).toEqual([last])
    expect(takenDown(look, 'abc')).toEqual([last])
    expect(takenDown(look, 'web')).toEqual([last])
    expect(takenDown(lookAt([seen('web'), seen('web.prev-abc123', { healthy: false })]), 'web')).toEqual([last])
  })
  test('it takes down what is not the only one, not healthy, a candidate, not wanted or exclusive', () => {
    expect(takenDown(lookAt([seen('web'), seen('web.prev-abc123')]), 'web.prev-abc123')).toEqual([])
    expect(takenDown(lookAt([seen('web', { healthy: false })]), 'web')).toEqual([])
    expect(takenDown(lookAt([seen('web.next')]), 'web.next')).toEqual([])
    expect(takenDown(up, 'web', { isWanted: () => false })).toEqual([])
    expect(takenDown(lookAt([seen('store')]), 'store')).toEqual([])
  })
  test('an engine finds nothing by that name, or two by that beginning', () => {
    const look = lookAt([seen('web', { id: 'abc123' }), seen('store', { id: 'abd456' })])
    expect(takenDown(look, 'ab')).toEqual([])
    expect(takenDown(look, '')).toEqual([])
    expect(takenDown(look, 'abe')).toEqual([])
  })
})

describe('I2: never two of what must be one', () => {
  test('two run', () => {
    expect(after([lookAt([seen('store'), seen('store.next')])])).toEqual(['I2: store runs 2 times: store, store.next'])
  })
  test('two use a volume that is for one, of whichever leaf they are', () => {
    const data = { volumes: ['shop_data'] }
    const look = lookAt([seen('web', data), seen('store', data)])
    const isExclusiveVolume = (volume: string) => volume === 'shop_data'
    expect(after([look], { isExclusiveVolume })).toEqual([
      'I2: the volume shop_data is used by 2 at a time: store, web',
    ])
    expect(after([look])).toEqual([])
    const other = lookAt([seen('web', { ...data, ...DOWN }), seen('store', data)])
    expect(after([other], { isExclusiveVolume })).toEqual([])
  })
  test('one runs, the other is down', () => {
    expect(after([lookAt([seen('store', DOWN), seen('store.next')])])).toEqual([])
  })
  test('two of what may be two, or one of another deployment', () => {
    expect(after([lookAt([seen('web'), seen('web.next')])])).toEqual([])
    expect(after([lookAt([seen('store'), seen('other-store', { leaf: 'store', deployment: 'else' })])])).toEqual([])
  })
})

describe('I3: what is not ours is never changed', () => {
  const with_ = (is: string | null, own: readonly string[] = []) =>
    lookAt([], { foreign: new Map(is === null ? [] : [['network theirs', is]]), own: new Set(own) })

  test('it is another one, or gone', () => {
    expect(after([with_('a'), with_('b')])).toEqual(['I3: network theirs is not ours, and changed: a → b'])
    expect(after([with_('a'), with_(null)])).toEqual(['I3: network theirs is not ours, and changed: a → gone'])
  })
  test('it is as it was, is new, or is ours by now', () => {
    expect(after([with_(null), with_('a'), with_('a')])).toEqual([])
    expect(after([with_('a'), with_(null, ['network theirs'])])).toEqual([])
  })
  test('a look that was not at it says nothing, and forgets nothing', () => {
    const elsewhere = lookAt([], { foreign: null })
    expect(after([with_('a'), elsewhere, with_('a')])).toEqual([])
    expect(after([with_('a'), elsewhere, with_('b')])).toHaveLength(1)
    // Named as graft's own, without its name for a moment, gone.
    expect(after([with_(null, ['network theirs']), with_('a'), with_(null)])).toEqual([])
  })
  test('graft is about to change a container of somebody else', () => {
    const look = lookAt([
      seen('web'),
      seen('theirs', { id: 'abc123', deployment: null }),
      seen('x', { deployment: 'y' }),
    ])
    const touched = (container: string) => {
      const watch = watching()
      watch.touches(look, container)
      return said(watch)
    }
    expect(touched('abc1')).toEqual(['I3: theirs is not ours, and graft changes it'])
    expect(touched('theirs')).toHaveLength(1)
    expect(touched('x')).toHaveLength(1)
    expect(touched('web')).toEqual([])
    expect(touched('nothing')).toEqual([])
  })
})

describe('I4: what runs was accepted', () => {
  const words = (generation: string) => `I4: web runs generation ${generation}, which no accepted commit declared so`

  test('nobody declared the generation, or not with this digest', () => {
    expect(after([lookAt([seen('web', { generation: '3' })])])).toEqual([words('3')])
    expect(after([lookAt([seen('web', { runDigest: 'other' })])])).toEqual([words('1')])
    expect(after([lookAt([seen('web', { generation: null })])])).toEqual([words('?')])
  })
  test('it was declared, does not run, or is of another deployment', () => {
    expect(after([lookAt([seen('web', { generation: '2' })])])).toEqual([])
    expect(after([lookAt([seen('web', { generation: '3', ...DOWN })])])).toEqual([])
    expect(after([lookAt([seen('web', { generation: '3', deployment: 'else' })])])).toEqual([])
  })
})

describe('I5: all is as wished', () => {
  const settled = (containers: Look['containers'], wanted: Record<string, string>) => {
    const watch = watching()
    watch.settled(lookAt(containers), new Map(Object.entries(wanted)))
    return said(watch)
  }
  test('it is missing, down, of another generation, or something is left over', () => {
    expect(settled([], { web: '1' })).toEqual(['I5: web does not run'])
    expect(settled([seen('web', DOWN)], { web: '1' })).toEqual(['I5: web does not run'])
    expect(settled([seen('web')], { web: '2' })).toEqual(['I5: web is generation 1, not 2'])
    expect(settled([seen('web'), seen('web.next', DOWN), seen('store.prev-abc123', DOWN)], { web: '1' })).toEqual([
      'I5: web.next is left over',
      'I5: store.prev-abc123 is left over',
    ])
  })
  test('it runs as wished; what failed last is kept', () => {
    expect(settled([seen('web'), seen('web.failed', DOWN)], { web: '1' })).toEqual([])
  })
})

describe('I6: what failed is not tried again', () => {
  const mostTries = (_leaf: string, generation: string) => (generation === '2' ? 1 : Infinity)
  const tried = (id: string, generation = '2') => lookAt([seen('store.failed', { id, generation, ...DOWN })])

  test('there was a second container of it', () => {
    expect(after([tried('a'), tried('b')], { mostTries })).toEqual([
      'I6: store generation 2, which failed, was tried 2 times',
    ])
  })
  test('it is the same one, another generation, or nobody counts', () => {
    expect(after([tried('a'), tried('a')], { mostTries })).toEqual([])
    expect(after([tried('a', '1'), tried('b', '1')], { mostTries })).toEqual([])
    expect(after([tried('a'), tried('b')])).toEqual([])
  })
})

describe('I7: volumes stay', () => {
  const volumes = (...names: string[]) => lookAt([], { volumes: names })

  test('one with data is gone', () => {
    expect(after([volumes('shop_data'), volumes()])).toEqual(['I7: the volume shop_data is gone'])
  })
  test('it stays, a mark goes, or nobody looked', () => {
    expect(after([volumes('shop_data'), volumes('shop_data')])).toEqual([])
    expect(after([volumes('shop_job.done-g1'), volumes()])).toEqual([])
    expect(after([volumes('shop_data'), lookAt([], { volumes: null }), volumes('shop_data')])).toEqual([])
  })
})
