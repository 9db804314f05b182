// Which container of nobody's a leaf takes over, and what of it matters.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { planAdoptions, type Adoption } from '../../../src/plan/adoption.ts'
import { matchContainers, type Asked, type MatchInput } from '../../../src/plan/adoption-match.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { situations } from '../../../src/plan/situation.ts'
import { hostOf, job, leaf, planOf, runDigest, treeOf, verdictOn, withContainer } from './build.ts'

type Change = (container: ObservedContainer) => Partial<ObservedContainer['running']> & { readonly image?: string }

/** What graft would have made, as if somebody else had. */
async function byHand(tree: Tree, name: string, change: Change = () => ({})): Promise<ObservedContainer> {
  const host = await hostOf(tree)
  await host.put(tree, name)
  const [own] = (await host.observe(tree)).containers
  if (own === undefined) throw new Error('it was not made')
  const { image = own.labels.image, ...running } = change(own)
  const nobodys = { deployment: '', leaf: '', generation: 0, digest: '', commit: '', restart: '', files: '' }
  return { ...own, labels: { ...own.labels, ...nobodys, image }, running: { ...own.running, ...running } }
}

async function adopted(tree: Tree, name: string, change?: Change): Promise<Adoption> {
  const container = await byHand(tree, name, change)
  const observed = await (await hostOf(tree)).observe(tree)
  const matches = new Map([[name, container]])
  const [adoption] = planAdoptions({ tree, observed, matches, liveIds: new Map(), runDigest, mirror: (text) => text })
  if (adoption === undefined) throw new Error('it is not adopted')
  return adoption
}

const fields = (changes: Adoption['differs']) => changes.map(({ field }) => field)

describe('taking over', () => {
  const tree = treeOf({ web: leaf(3, 'environment: {A: b}') })

  it('leaves one alone that is what the leaf declares', async () => {
    const adoption = await adopted(tree, 'web')
    expect(adoption).toMatchObject({ how: 'as-is', differs: [], mends: [], stays: [], order: null, leaves: [] })
    expect(adoption.container.labels).toMatchObject({ deployment: 'shop', leaf: 'web', generation: 3 })
    expect(adoption.container.labels.digest).toBe(runDigest(tree.leaves.get('web') ?? never()))
  })

  it.each<[string, Change]>([
    ['labels', () => ({ labels: { 'com.docker.compose.project': 'shop' } })],
    ['init', ({ running }) => ({ init: !running.init })],
    ['hostname', () => ({ hostname: 'some-name' })],
    ['logging', () => ({ logging: { driver: 'journald', options: {} } })],
    ['expose', () => ({ expose: ['80/tcp'] })],
    [
      'networks',
      ({ running }) => ({ networks: mapValues(running.networks, (join) => ({ ...join, aliases: ['shop-web-1'] })) }),
    ],
  ])('lets %s stay as it is until the next generation', async (field, change) => {
    const adoption = await adopted(tree, 'web', change)
    expect(adoption.how).toBe('as-is')
    expect(adoption.stays.length).toBeGreaterThan(0)
    expect(fields(adoption.stays).every((name) => name.startsWith(field))).toBe(true)
    expect(adoption.container.labels.adopted?.stays).toEqual(fields(adoption.stays))
  })

  it.each<[string, Change]>([
    ['environment.A', () => ({ environment: { A: 'other' } })],
    ['privileged', () => ({ privileged: true })],
    ['command', () => ({ command: ['other'] })],
    ['user', () => ({ user: '7' })],
    ['image', () => ({ image: 'app:2' })],
    ['networks.default', () => ({ networks: {} })],
    ['ports.80/tcp', () => ({ ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'host' }] })],
  ])('swaps one whose %s differs', async (field, change) => {
    // Without the image here, its name is all there is to go by.
    const differing = treeOf({ web: leaf(3, 'environment: {A: b}') })
    const container = await byHand(differing, 'web', change)
    const observed = await (await hostOf(differing)).observe(differing)
    const images = new Map([...observed.images].map(([reference]) => [reference, null]))
    const matches = new Map([['web', container]])
    const mirror = (text: string) => text
    const [adoption] = planAdoptions({
      tree: differing,
      matches,
      liveIds: new Map(),
      runDigest,
      mirror,
      observed: field === 'image' ? { ...observed, images } : observed,
    })
    expect(fields(adoption?.differs ?? [])).toContain(field)
    expect(adoption?.how).toBe('swap')
    expect(adoption?.order).not.toBeNull()
    expect(adoption?.container.labels.generation).toBe(0)
  })

  it('swaps one that runs another image under the same name', async () => {
    const container = { ...(await byHand(tree, 'web')), imageId: `sha256:${'9'.repeat(64)}` }
    const observed = await (await hostOf(tree)).observe(tree)
    const [adoption] = planAdoptions({
      tree,
      observed,
      liveIds: new Map(),
      runDigest,
      mirror: (text: string) => text,
      matches: new Map([['web', container]]),
    })
    expect(adoption).toMatchObject({
      how: 'swap',
      differs: [{ field: 'image', from: expect.stringContaining('no longer') }],
    })
  })

  it('says what data a new container would not see', async () => {
    const data = treeOf({ web: leaf(1, 'volumes: ["data:/data"]') }, 'volumes: {data: {}}\n')
    expect((await adopted(data, 'web')).leaves).toEqual([])
    const mounts: Change = () => ({
      mounts: [
        { type: 'volume', source: 'another', target: '/data', read_only: false },
        { type: 'volume', source: 'seen', target: '/read', read_only: true },
        { type: 'bind', source: '/srv', target: '/srv', read_only: false, create_host_path: true },
        { type: 'tmpfs', target: '/tmp' },
      ],
    })
    expect((await adopted(data, 'web', mounts)).leaves).toEqual(['volume another at /data', 'folder /srv at /srv'])
  })

  it('is kept by the plans that follow, until the leaf’s next generation', async () => {
    const { container } = await adopted(tree, 'web', () => ({ hostname: 'some-name', labels: { a: 'b' } }))
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    const [own] = (await host.observe(tree)).containers
    const observed = withContainer(await host.observe(tree), own?.name ?? '', container)
    expect(verdictOn(planOf(tree, observed), 'web').kind).toBe('keep')
    const next = treeOf({ web: leaf(4, 'environment: {A: b}') })
    const { images } = await (await hostOf(next)).observe(next)
    const verdict = verdictOn(planOf(next, { ...observed, images }), 'web')
    expect(verdict.kind).toBe('replace')
    expect(fields(verdict.changes)).toContain('hostname')
  })
})

describe('finding', () => {
  const tree = treeOf({ web: leaf(1), db: leaf(1), once: job(1) })

  async function match(foreign: ObservedContainer[], asked: readonly Asked[] = [], change: Partial<MatchInput> = {}) {
    const observed = await (await hostOf(tree)).observe(tree)
    const input = { tree, situations: situations(tree, observed), foreign, refused: new Map(), asked, project: null }
    const { matches, unmatched } = matchContainers({ ...input, ...change })
    return { matched: [...matches].map(([name, { id }]) => [name, id]), unmatched }
  }

  const service = (project: string, name: string, more: Record<string, string> = {}) => ({
    labels: { 'com.docker.compose.project': project, 'com.docker.compose.service': name, ...more },
  })
  const called = async (name: string, id: string, change?: Change) => ({
    ...(await byHand(tree, 'web', change)),
    name,
    id,
  })

  it('goes by the leaf’s name, then by the labels of Compose', async () => {
    const named = await called('web', 'a'.repeat(64))
    const composed = await called('shop-web-1', 'b'.repeat(64), () => service('shop', 'web'))
    const db = await called('shop-db-1', 'c'.repeat(64), () => service('shop', 'db'))
    const once = await called('shop-once-1', 'd'.repeat(64), () => service('shop', 'once'))
    const tried = await called('shop-db-run', 'e'.repeat(64), () =>
      service('shop', 'db', { 'com.docker.compose.oneoff': 'True' }),
    )
    expect(await match([named, composed, db, once, tried])).toEqual({
      matched: [
        ['db', db.id],
        ['web', named.id],
      ],
      unmatched: [],
    })
  })

  it('asks which one where there are several, and takes the one that is named', async () => {
    const [one, two] = [
      await called('shop-web-1', 'a'.repeat(64), () => service('shop', 'web')),
      await called('shop-web-2', 'b'.repeat(64), () => service('shop', 'web')),
    ]
    expect((await match([one, two])).unmatched).toMatchObject([{ leaf: 'web', because: expect.stringContaining('-2') }])
    const asked = [{ leaf: 'web', container: 'shop-web-2' }]
    expect((await match([one, two], asked)).matched).toEqual([['web', two.id]])
    const twice = [...asked, { leaf: 'db', container: two.id.slice(0, 12) }]
    expect((await match([one, two], twice)).unmatched).toMatchObject([
      { leaf: 'db', because: expect.stringContaining('web') },
    ])
  })

  it('takes another project’s containers only where that project is named', async () => {
    const other = await called('site-web-1', 'a'.repeat(64), () => service('site', 'web'))
    expect(await match([other])).toEqual({ matched: [], unmatched: [] })
    expect((await match([other], [], { project: 'site' })).matched).toEqual([['web', other.id]])
  })

  it('says why a leaf that was asked for gets none', async () => {
    const asked = ['wep', 'once', 'web'].map((name) => ({ leaf: name, container: null }))
    const { unmatched } = await match([], asked)
    expect(unmatched.map(({ because }) => because)).toEqual([
      'shop has no leaf wep',
      expect.stringContaining('a job'),
      expect.stringContaining('no running container is called web'),
    ])
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    const found = situations(tree, await host.observe(tree))
    const own = await match([await called('web', 'a'.repeat(64))], [{ leaf: 'web', container: null }], {
      situations: found,
    })
    expect(own.unmatched[0]?.because).toContain('already')
  })
})

function mapValues<Value>(values: Readonly<Record<string, Value>>, change: (value: Value) => Value) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}

function never(): never {
  throw new Error('there is no such leaf')
}
