// The verdict on a container, and its reason in words.

import { describe, expect, it } from 'vitest'

import { hostOf, leaf, NOW, refusal, treeOf, withContainer, type Host } from './build.ts'
import { on, running } from './judged.ts'

describe('a container', () => {
  const tree = treeOf({ web: leaf(1, 'environment: {LEVEL: info}') })

  it('keep: it is as declared', async () => {
    const { said, planned, notes } = on(tree, await (await running(tree)).observe(tree))
    expect(said).toBe('keep: as declared')
    expect(planned.tables).toEqual([])
    expect(notes).toEqual(['it has no health check: staying up is all it must prove'])
  })

  it('create: it is not there, with every privilege it asks for', async () => {
    const privileged = treeOf({ web: leaf(1, 'privileged: true\npid: host') })
    const { said, order, gains } = on(privileged, await (await hostOf(privileged)).observe(privileged))
    expect(said).toBe('create: it does not exist yet')
    expect(order).toBeNull()
    expect(gains).toEqual(
      expect.arrayContaining([expect.stringContaining('privileged'), expect.stringContaining('pid')]),
    )
  })

  it('create: the image is fetched first, and what needs it waits', async () => {
    const two = treeOf({ web: leaf(1), api: leaf(1, 'depends_on: [web]') })
    const host = await hostOf(treeOf({}))
    for (const wish of two.networks.values()) await host.engine.createNetwork('shop', wish)
    const { said, steps, notes, planned } = on(two, await host.observe(two))
    expect(said).toBe('create: it does not exist yet')
    expect(notes).toContain('the image app:1 is fetched first')
    expect(steps).toEqual(['image app:1'])
    expect(planned.tables.map(({ id }) => id)).toEqual(['image of web', 'image of api'])
  })

  it('replace: fields that differ under a new generation', async () => {
    const next = treeOf({ web: leaf(2, 'environment: {LEVEL: debug}\ncap_add: [NET_ADMIN]') })
    const { said, changes, fromGeneration, toGeneration, gains, order } = on(
      next,
      await (await running(tree, next)).observe(next),
    )
    expect(said).toBe('replace: cap_add: NET_ADMIN added, environment.LEVEL info → debug, image app:1 → app:2')
    expect(changes.map(({ field }) => field)).toEqual(['cap_add', 'environment.LEVEL', 'image'])
    expect([fromGeneration, toGeneration]).toEqual([1, 2])
    expect(gains).toEqual(['cap_add: NET_ADMIN'])
    expect(order).toEqual({ kind: 'start-first', because: 'nothing it holds is exclusive' })
  })

  it('replace: a new bind mount is a gain', async () => {
    const next = treeOf({ web: leaf(2, 'volumes: ["/etc:/host-etc:ro"]') })
    const { gains } = on(next, await (await running(tree, next)).observe(next))
    expect(gains).toEqual([expect.stringMatching(/^bind \/etc/)])
  })

  it('replace: a generation alone swaps too', async () => {
    const same = (generation: number) => treeOf({ web: `generation: ${generation}\nimage: app:1\n` })
    const { said } = on(same(2), await (await running(same(1))).observe(same(2)))
    expect(said).toBe('replace: generation 1 → 2')
  })

  it('replace: a value of the host, or somebody, changed it under its generation', async () => {
    const host = await running(tree)
    const other = treeOf({ web: leaf(1, 'environment: {LEVEL: debug}') })
    expect(on(other, await host.observe(other)).said).toBe(
      'replace: a value of this host changed: environment.LEVEL info → debug',
    )
    const observed = await host.observe(tree)
    const [web] = observed.containers
    if (web === undefined) throw new Error('no container')
    const changed = withContainer(observed, 'web', { running: { ...web.running, privileged: true } })
    expect(on(tree, changed).said).toMatch(/^replace: changed by hand: privileged/)
  })

  it('replace: another restart policy under its generation needs a new label', async () => {
    const other = treeOf({ web: leaf(1, 'environment: {LEVEL: info}\nrestart: unless-stopped') })
    expect(on(other, await (await running(tree)).observe(other)).said).toBe(
      'replace: a value of this host changed: restart always → unless-stopped',
    )
  })

  it('restore: the least step that mends what somebody did', async () => {
    const restored = async (act: (host: Host, id: string) => unknown) => {
      const host = await hostOf(tree)
      const id = await host.put(tree, 'web')
      await act(host, id)
      const { said, steps } = on(tree, await host.observe(tree))
      return [said, ...steps]
    }
    expect(await restored(({ engine }, id) => engine.pause(id))).toEqual(['restore: someone paused it', 'unpause web'])
    expect(await restored(({ engine }, id) => engine.stop(id))).toEqual([
      'restore: it exited with code 143',
      'start web',
    ])
    expect(await restored(({ engine }, id) => engine.rename(id, 'mine'))).toEqual([
      'restore: someone renamed it to mine',
      'rename mine to web',
    ])
    expect(await restored(({ engine }, id) => engine.setRestartPolicy(id, 'no'))).toEqual([
      'restore: its restart policy is no, not always',
      'web: restart policy always',
    ])
    expect(await restored(({ engine }, id) => engine.disconnect(id, 'shop_default'))).toEqual([
      expect.stringMatching(/^restore: networks\.default/),
      'connect web default',
    ])
  })

  it('restore: a limit that somebody set, and one that is gone', async () => {
    const limited = treeOf({ web: leaf(1, 'mem_limit: 64m') })
    const host = await running(limited)
    const observed = await host.observe(limited)
    const [web] = observed.containers
    if (web === undefined) throw new Error('no container')
    const changed = withContainer(observed, 'web', { running: { ...web.running, mem_limit: 1 } })
    const { said, steps } = on(limited, changed)
    expect(said).toMatch(/^restore: mem_limit/)
    expect(steps).toEqual(['update mem_limit of web'])
  })

  it('restore: what the engine could not remove is removed, and made anew by the next turn', async () => {
    const dead = withContainer(await (await running(tree)).observe(tree), 'web', { state: 'dead' })
    const { said, steps } = on(tree, dead)
    expect(said).toBe('restore: it is made anew; meanwhile: the engine could not remove it')
    expect(steps).toEqual(['remove web'])
  })

  it('restore: an unhealthy container is restarted after its check failed once more', async () => {
    const sick = withContainer(await (await running(tree)).observe(tree), 'web', { health: 'unhealthy' })
    expect(on(tree, sick)).toMatchObject({
      said: 'restore: its health check fails',
      steps: ['confirm-unhealthy web', 'stop web', 'start web'],
    })
    const ignored = treeOf({ web: leaf(1, 'environment: {LEVEL: info}\non_unhealthy: ignore') })
    expect(on(ignored, sick)).toMatchObject({ said: 'keep: as declared', steps: [] })
    expect(on(ignored, sick).notes).toContain('its health check fails')
    const own = treeOf({ web: leaf(1, 'healthcheck: {http: {port: 80}}') })
    const probed = await (await running(own)).observe(own)
    expect(on(own, probed, { probed: new Map([['web', false]]) }).said).toBe('restore: its health check fails')
  })

  it('restore: its dependency was replaced, or the host of its namespace restarted', async () => {
    const two = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: {db: {condition: service_started, restart: true}}') })
    const host = await hostOf(two)
    await host.put(two, 'web')
    await host.put(two, 'db')
    const now = { now: host.clock.now() }
    expect(on(two, await host.observe(two), now).said).toBe(
      'restore: db, which it asks to be restarted with, was replaced',
    )
    // While that one may still go back, nothing follows.
    const observed = await host.observe(two)
    expect(on(two, observed, { ...now, busy: new Set(['db']) }).said).toBe('keep: as declared')
    // Made in the future: before the clock was set back.
    expect(on(two, await host.observe(two), { now: NOW }).said).toBe('keep: as declared')
    const joined = treeOf({ main: leaf(1), web: leaf(1, 'network_mode: service:main') })
    const other = await hostOf(joined)
    const main = await other.put(joined, 'main')
    await other.put(joined, 'web')
    await other.engine.stop(main)
    await other.engine.start(main)
    const later = { now: other.clock.now() }
    expect(on(joined, await other.observe(joined), later).said).toBe(
      'restore: main, whose namespace it joins, was restarted',
    )
    expect(on(joined, await other.observe(joined), { now: NOW }).said).toBe('keep: as declared')
  })

  it('move: the file went to another set; nothing that runs changes', async () => {
    const moved = treeOf({
      'front/set.yaml': 'description: x\n',
      'front/web.yaml': leaf(1, 'environment: {LEVEL: info}'),
    })
    const { said, set, steps } = on(moved, await (await running(tree)).observe(moved))
    expect([said, set, steps]).toEqual(['keep: as declared', 'front', []])
  })

  it('restore: a new name takes the container over, and keeps it when renamed_from is gone', async () => {
    const renamed = treeOf({ site: leaf(1, 'environment: {LEVEL: info}\nrenamed_from: web') })
    const host = await running(tree)
    const { said, steps, planned } = on(renamed, await host.observe(renamed), {}, 'site')
    expect(said).toBe('restore: renamed from web')
    expect(steps).toEqual(['rename web to site'])
    expect(planned.verdicts).toHaveLength(1)
    const [container] = (await host.observe(tree)).containers
    await host.engine.rename(container?.id ?? '', 'site')
    const later = treeOf({ site: leaf(1, 'environment: {LEVEL: info}') })
    expect(on(later, await host.observe(later), {}, 'site')).toMatchObject({ said: 'keep: as declared', steps: [] })
  })

  it('restore: renamed twice, the container is still the same one', async () => {
    const line = 'environment: {LEVEL: info}'
    const host = await running(tree)
    const [container] = (await host.observe(tree)).containers
    await host.engine.rename(container?.id ?? '', 'site')
    const again = treeOf({ page: leaf(1, `${line}\nrenamed_from: site`) })
    const { said, steps, planned } = on(again, await host.observe(again), {}, 'page')
    expect(said).toMatch(/^restore: renamed from/)
    expect(steps).toEqual(['rename site to page'])
    expect(planned.verdicts).toHaveLength(1)
  })

  it('remove: its file is gone', async () => {
    const none = treeOf({ other: leaf(1) })
    const { said, set, steps, toGeneration } = on(none, await (await running(tree, none)).observe(none))
    expect(said).toBe('remove: its file is gone')
    expect([set, toGeneration]).toEqual([null, null])
    expect(steps).toEqual(['web: restart policy no', 'stop web', 'remove web'])
  })

  it('recover: what may still be used does not start again where the container it lives in is gone', async () => {
    const side = 'network_mode: service:web'
    const before = treeOf({ web: leaf(1), side: leaf(1, side), api: leaf(1) })
    const after = treeOf({ web: leaf(1), api: leaf(2, 'environment: {LEVEL: info}') })
    const host = await hostOf(after)
    for (const name of ['api', 'web', 'side']) await host.put(before, name)
    await host.put(before, 'side', { role: 'candidate', state: 'created' })
    const of = async (name: string) => (await host.engine.inspect(name))?.id ?? ''
    await host.engine.stop(await of('side'))
    const refused = { refused: refusal('api', 'not granted') }
    expect(on(after, await host.observe(after), refused, 'side').steps).toEqual(['start side', 'remove side.next'])
    await host.engine.stop(await of('web'))
    await host.engine.remove(await of('web'))
    expect(on(after, await host.observe(after), refused, 'side').steps).toEqual(['remove side.next'])
  })

  it('remove: after the tables of those that may have used it; hold: where one of them cannot change', async () => {
    const before = treeOf({ web: leaf(1), api: leaf(1), other: leaf(1) })
    const after = treeOf({ api: leaf(2, 'environment: {LEVEL: info}'), other: leaf(1) })
    const observed = await (await running(before, after)).observe(after)
    const { said, planned } = on(after, observed)
    expect(said).toBe('remove: its file is gone')
    expect(planned.tables.map(({ id, after: first }) => [id, first])).toEqual([
      ['api', []],
      ['web', ['api']],
    ])
    const held = on(after, observed, { refused: refusal('api', 'not granted') })
    expect(held.said).toBe('hold: its file is gone, but api still runs an older generation, which may use it')
    expect(held.planned.tables).toEqual([])

    const host = await running(before, after)
    await host.engine.rename('web', 'mine')
    expect(on(after, await host.observe(after), { refused: refusal('api', 'not granted') })).toMatchObject({
      said: `recover: ${held.said.slice('hold: '.length)}; meanwhile: someone renamed it to mine`,
      steps: ['rename mine to web'],
    })
  })

  it('keep: its file is gone, but it said prune: false', async () => {
    const none = treeOf({ other: leaf(1) })
    const departed = new Map([['web', { prune: false, dependencies: [] }]])
    const { said, steps } = on(none, await (await running(tree, none)).observe(none), { departed })
    expect([said, steps]).toEqual(['keep: its file is gone, but it said prune: false', []])
  })

  it('stop: its set is stopped; then it is kept', async () => {
    const stopped = treeOf({ web: leaf(1, 'environment: {LEVEL: info}') }, 'state: stopped\n')
    const host = await hostOf(tree)
    const id = await host.put(tree, 'web')
    expect(on(stopped, await host.observe(stopped))).toMatchObject({
      said: 'stop: its set is stopped',
      steps: ['web: restart policy no', 'stop web'],
    })
    await host.engine.stop(id)
    expect(on(stopped, await host.observe(stopped)).said).toBe('stop: an engine restart would start it')
    await host.engine.setRestartPolicy(id, 'no')
    expect(on(stopped, await host.observe(stopped))).toMatchObject({ said: 'keep: its set is stopped', steps: [] })
    const never = await hostOf(stopped)
    expect(on(stopped, await never.observe(stopped)).said).toBe('keep: its set is stopped, and it was never started')
  })
})
