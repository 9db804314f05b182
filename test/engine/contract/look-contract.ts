// The contract, part three: one whole look, and networks, volumes and tags.

import { describe, expect, it } from 'vitest'

import { optionsDigest } from '../../../src/plan/digests.ts'
import { type ContractBench, faultOf } from './contract-bench.ts'
import { OTHER_IMAGE } from './field-case.ts'
import { BASE_IMAGE, leafOf } from './sample-tree.ts'

export function lookContract(bench: ContractBench): void {
  const { ground, engine, tree, uniqueName, create } = bench

  describe('one look', () => {
    it('finds the deployment’s containers by name order, and others only as names that are taken', async () => {
      const foreign = `${ground().deployment}-foreign`
      const removeForeign = await ground().addForeign(foreign)
      const [b, a] = [await create(leafOf('zz-b')), await create(leafOf('zz-a'))]
      const observed = await engine().observe(ground().deployment, [BASE_IMAGE, 'graft-test/absent:1'])
      const names = observed.containers.map((container) => container.name)
      expect(names).toEqual(names.toSorted())
      expect(names).toContain(a.name)
      expect(names).toContain(b.name)
      expect(names).not.toContain(foreign)
      expect(observed.foreignNames.get(foreign)).toMatch(new RegExp(`^container ${foreign} \\(image `))
      expect(observed.images.get(BASE_IMAGE)).toEqual(await engine().findImage(BASE_IMAGE))
      expect(observed.images.get('graft-test/absent:1')).toBeNull()
      expect(observed.containers.find((container) => container.id === a.id)).toEqual(await engine().inspect(a.id))
      await engine().remove(a.id)
      await engine().remove(b.id)
      await removeForeign()
    })

    it('finds networks and volumes with what they were made with', async () => {
      const { networks, volumes } = tree()
      const observed = await engine().observe(ground().deployment, [])
      for (const wish of networks.values()) {
        expect(observed.networks.get(wish.name)).toMatchObject({
          deployment: ground().deployment,
          optionsDigest: optionsDigest(wish.options),
        })
      }
      for (const wish of volumes.values()) {
        expect(observed.volumes.get(wish.name)).toMatchObject({
          deployment: ground().deployment,
          kind: 'volume',
          optionsDigest: optionsDigest(wish.options),
          options: { driver: 'local', labels: wish.options.labels },
        })
      }
      const network = `${ground().deployment}_default`
      const joined = observed.containers.filter((container) => container.running.networks[network] !== undefined)
      expect(joined.map((container) => container.labels.leaf)).toContain('peer')
      expect(observed.networks.get(network)?.endpoints).toBe(joined.length)
    })

    it('sees each step of a container at once', async () => {
      const leaf = leafOf(uniqueName())
      const { id } = await create(leaf)
      const seen = async () => (await engine().observe(ground().deployment, [])).containers.find((c) => c.id === id)
      expect(await seen()).toMatchObject({ state: 'created' })
      await engine().start(id)
      expect(await seen()).toMatchObject({ state: 'running' })
      await engine().setRestartPolicy(id, 'always')
      expect(await seen()).toMatchObject({ restartPolicy: 'always' })
      await engine().rename(id, `${ground().deployment}-renamed`)
      expect(await seen()).toMatchObject({ name: `${ground().deployment}-renamed` })
      await engine().remove(id)
      expect(await seen()).toBeUndefined()
    })
  })

  describe('networks, volumes and tags', () => {
    it('are made twice without harm', async () => {
      const { networks, volumes } = tree()
      for (const wish of networks.values()) await engine().createNetwork(ground().deployment, wish)
      for (const wish of volumes.values()) await engine().createVolume(ground().deployment, wish)
    })

    it('are not taken from another deployment', async () => {
      const { networks, volumes } = tree()
      const [network] = networks.values()
      const [volume] = volumes.values()
      if (network === undefined || volume === undefined) throw new Error('the sample has none')
      expect((await faultOf(engine().createNetwork('someone-else', network))).kind).toBe('name-taken')
      expect((await faultOf(engine().createVolume('someone-else', volume))).kind).toBe('name-taken')
    })

    it('marks a job as done with an empty volume', async () => {
      const mark = `${ground().deployment}_job.done-g3`
      await engine().createMark(ground().deployment, mark, 'job', 3)
      await engine().createMark(ground().deployment, mark, 'job', 3)
      const observed = await engine().observe(ground().deployment, [])
      expect(observed.volumes.get(mark)).toMatchObject({ kind: 'job-done', leaf: 'job', generation: 3 })
    })

    it('removes a network, also one that is gone', async () => {
      const wish = { key: 'brief', name: `${ground().deployment}_brief`, external: false, options: networkOptions() }
      await engine().createNetwork(ground().deployment, wish)
      const id = (await engine().observe(ground().deployment, [])).networks.get(wish.name)?.id ?? ''
      await engine().removeNetwork(id)
      await engine().removeNetwork(id)
      expect((await engine().observe(ground().deployment, [])).networks.has(wish.name)).toBe(false)
    })

    it('finds rollback tags, and takes them away', async () => {
      const image = await engine().findImage(OTHER_IMAGE)
      const tag = `graft.local/${ground().deployment}/web:g3-${(image?.id ?? '').slice(7, 19)}`
      await engine().tagImage(image?.id ?? '', tag)
      await engine().tagImage(image?.id ?? '', tag)
      expect(await engine().rollbackTags(ground().deployment, 'web')).toEqual([tag])
      expect((await engine().observe(ground().deployment, [])).images.get(tag)?.id).toBe(image?.id)
      await engine().removeTag(tag)
      await engine().removeTag(tag)
      expect(await engine().findImage(tag)).toBeNull()
    })
  })

  function networkOptions() {
    const [wish] = tree().networks.values()
    if (wish === undefined) throw new Error('the sample has no network')
    return wish.options
  }
}
