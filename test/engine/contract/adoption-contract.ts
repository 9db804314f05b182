// The contract, part five: containers of nobody's are found, taken over, and are the deployment's from then on.

import { describe, expect, it } from 'vitest'

import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { type ContractBench, faultOf } from './contract-bench.ts'
import { OTHER_IMAGE } from './field-case.ts'
import { BASE_IMAGE } from './sample-tree.ts'

export function adoptionContract(bench: ContractBench): void {
  const { ground, engine, tree } = bench

  async function foreign(name: string): Promise<{ found: ObservedContainer; remove: () => Promise<void> }> {
    const full = `${ground().deployment}-${name}`
    const remove = await ground().addForeign(full)
    await engine().start(full)
    const found = (await engine().unowned()).find((one) => one.name === full)
    if (found === undefined) throw new Error('it is not found')
    return { found, remove }
  }

  const taken = (found: ObservedContainer, leaf: string, generation = 4): ObservedContainer => {
    const labels = { ...found.labels, deployment: ground().deployment, leaf, generation, restart: 'always' }
    return { ...found, labels: { ...labels, digest: 'd'.repeat(64), commit: 'c', adopted: { stays: ['init'] } } }
  }

  const marks = async () =>
    [...(await engine().observe(ground().deployment, [])).volumes.values()].filter(
      ({ kind, deployment }) => kind === 'adopted' && deployment === ground().deployment,
    )

  async function takeMarksAway(): Promise<void> {
    for (const { name } of await marks()) await engine().removeVolume(ground().deployment, name)
  }

  describe('taking over', () => {
    it('a container of nobody’s is found while it runs, and a deployment’s own is not', async () => {
      const { found, remove } = await foreign('unowned')
      expect(found.labels).toMatchObject({ deployment: '', image: BASE_IMAGE, imageId: found.imageId })
      expect(found.state).toBe('running')
      const own = (await engine().observe(ground().deployment, [])).containers.map(({ id }) => id)
      expect((await engine().unowned()).filter(({ id }) => own.includes(id))).toEqual([])
      await engine().stop(found.id)
      expect((await engine().unowned()).some(({ id }) => id === found.id)).toBe(false)
      await remove()
    })

    it('it counts as what it was taken over as, and nothing was done to it', async () => {
      const { found, remove } = await foreign('taken')
      const wanted = taken(found, 'taken')
      await engine().adopt(wanted)
      await engine().adopt(wanted)
      const observed = await engine().observe(ground().deployment, [])
      const seen = observed.containers.find(({ id }) => id === found.id)
      expect(seen).toEqual(wanted)
      expect(await engine().inspect(found.id)).toEqual(wanted)
      expect(observed.foreignNames.has(found.name)).toBe(false)
      expect((await engine().unowned()).some(({ id }) => id === found.id)).toBe(false)
      expect((await engine().observe('someone-else', [])).containers).toEqual([])
      expect((await engine().observe('someone-else', [])).foreignNames.get(found.name)).toContain(found.name)
      await remove()
      await takeMarksAway()
    })

    it('its events are the deployment’s, and its mark goes with it', async () => {
      const { found } = await foreign('followed')
      const abort = new AbortController()
      const events = engine().events(ground().deployment, abort.signal)[Symbol.asyncIterator]()
      const next = events.next()
      await engine().adopt(taken(found, 'followed'))
      await engine().rename(found.id, `${ground().deployment}-followed-now`)
      expect((await next).value).toMatchObject({ containerId: found.id, leaf: 'followed' })
      abort.abort()
      expect(await marks()).toMatchObject([{ leaf: 'followed', generation: 4 }])
      await engine().remove(found.id)
      expect(await marks()).toEqual([])
    })

    it('one that is made again after somebody removed it carries what it was taken over as', async () => {
      const { found, remove } = await foreign('again')
      await engine().adopt(taken(found, 'again'))
      const captured = await engine().capture(found.id, [])
      if (captured === null) throw new Error('it is gone')
      await remove()
      const id = await engine().recreate(captured)
      expect(id).not.toBe(found.id)
      expect((await engine().inspect(id))?.labels).toMatchObject({
        deployment: ground().deployment,
        leaf: 'again',
        generation: 4,
        adopted: { stays: ['init'] },
      })
      await engine().remove(id)
      await takeMarksAway()
    })
  })

  describe('taking away', () => {
    it('a volume of the deployment goes, also twice, and one of another does not', async () => {
      const [sample] = tree().volumes.values()
      if (sample === undefined) throw new Error('the sample has none')
      const wish = { ...sample, key: 'brief', name: `${ground().deployment}_brief-data` }
      await engine().createVolume(ground().deployment, wish)
      expect((await faultOf(ground().direct.removeVolume('someone-else', wish.name))).kind).toBe('name-taken')
      expect((await engine().observe(ground().deployment, [])).volumes.has(wish.name)).toBe(true)
      await ground().direct.removeVolume(ground().deployment, wish.name)
      await ground().direct.removeVolume(ground().deployment, wish.name)
      expect((await engine().observe(ground().deployment, [])).volumes.has(wish.name)).toBe(false)
    })

    it('all tags of the deployment are found, and no others', async () => {
      const image = await engine().findImage(OTHER_IMAGE)
      const [own, other] = [`graft.local/${ground().deployment}/web/files:0a`, 'graft.local/someone-else/web:g1-0a']
      for (const tag of [own, other]) await engine().tagImage(image?.id ?? '', tag)
      expect(await engine().ownTags(ground().deployment)).toContain(own)
      expect(await engine().ownTags(ground().deployment)).not.toContain(other)
      for (const tag of [own, other]) await engine().removeTag(tag)
      expect(await engine().ownTags(ground().deployment)).not.toContain(own)
    })
  })
}
