// What somebody else does is not graft's doing, until it is over; graft's own doing is never excused by it for long.

import { describe, expect, test } from 'vitest'

import { DOWN, lookAt, said, seen, watching } from './picture.ts'

const up = lookAt([seen('web')])
const down = lookAt([seen('web', DOWN)])
const one = lookAt([seen('store'), seen('store.failed', DOWN)])
const two = lookAt([seen('store'), seen('store.failed')])
/** Those who wait for a promise have heard. */
const heard = () => new Promise((resolve) => setImmediate(resolve))

describe('somebody takes a leaf down, or makes two', () => {
  test('it comes about at once', () => {
    const watch = watching()
    watch.see(up)
    watch.excuse('web')
    watch.see(down)
    watch.excuse('store')
    watch.see(two)
    expect(said(watch)).toEqual([])
  })
  test('it comes about late: a look that is as sound as before the act does not end the excuse', () => {
    const watch = watching()
    const sound = lookAt([...up.containers, ...one.containers])
    watch.see(sound)
    watch.excuse('web')
    watch.excuse('store')
    for (const look of [sound, sound, lookAt([...down.containers, ...two.containers])]) watch.see(look)
    expect(said(watch)).toEqual([])
  })
  test('it ends with the first sound look after an unsound one', () => {
    const watch = watching()
    watch.see(up)
    watch.excuse('web')
    for (const look of [down, up, down]) watch.see(look)
    expect(said(watch)).toEqual(['I1: web was healthy, and nothing healthy of it is left'])
  })
  test('it ends with a sound look that shows that something has come about', () => {
    const watch = watching()
    watch.see(one)
    watch.excuse('store')
    for (const look of [lookAt([seen('store')]), two]) watch.see(look)
    expect(said(watch)).toHaveLength(1)
  })
  test('health goes up and down by itself, and ends nothing', () => {
    const watch = watching()
    watch.see(up)
    watch.excuse('web')
    for (const look of [lookAt([seen('web', { healthy: true })]), down]) watch.see(look)
    expect(said(watch)).toEqual([])
  })
  test('an act that lasts ends with the first sound look after it', async () => {
    const watch = watching()
    watch.see(up)
    let end = () => {}
    watch.excuse('web', new Promise<void>((resolve) => (end = resolve)))
    for (const look of [down, up, down, up]) watch.see(look)
    end()
    await heard()
    watch.see(down)
    expect(said(watch)).toEqual([])
    for (const look of [up, down]) watch.see(look)
    expect(said(watch)).toHaveLength(1)
  })
  test('an act that fails is over, too', async () => {
    const watch = watching()
    watch.see(up)
    watch.excuse('web', Promise.reject(new Error('no such container')))
    await heard()
    for (const look of [up, down]) watch.see(look)
    expect(said(watch)).toHaveLength(1)
  })
  test('one leaf is excused, not the other', () => {
    const watch = watching({ isStartFirst: () => true })
    watch.see(lookAt([seen('web'), seen('api')]))
    watch.excuse('web')
    watch.see(lookAt([]))
    expect(said(watch)).toEqual(['I1: api was healthy, and nothing healthy of it is left'])
  })
})

describe('somebody takes the engine down', () => {
  const foreign = (is: string) => lookAt([seen('web', DOWN)], { foreign: new Map([['container theirs', is]]) })

  test('what goes down with it is nobody’s fault, and has to be as it was afterwards', async () => {
    const watch = watching()
    watch.see(lookAt([seen('web')], { foreign: new Map([['container theirs', 'runs']]) }))
    let end = () => {}
    watch.engineGoes(new Promise<void>((resolve) => (end = resolve)))
    watch.see(foreign('down'))
    end()
    await heard()
    watch.see(foreign('runs'))
    expect(said(watch)).toEqual([])
    watch.see(foreign('down'))
    expect(said(watch)).toEqual(['I3: container theirs is not ours, and changed: runs → down'])
  })
  test('two of what must be one are forbidden meanwhile, too', () => {
    const watch = watching()
    watch.engineGoes(new Promise(() => {}))
    watch.see(two)
    expect(said(watch)).toHaveLength(1)
  })
  test('it counts again from its next healthy look on', async () => {
    const watch = watching()
    watch.see(up)
    watch.engineGoes(Promise.resolve())
    await heard()
    watch.see(down)
    expect(said(watch)).toEqual([])
    for (const look of [up, down]) watch.see(look)
    expect(said(watch)).toHaveLength(1)
  })
})
