// The contract, part one: every field of a spec is held, and each difference is seen.

import { describe, expect, it } from 'vitest'

import { compareVersions } from '../../../src/plan/api-needs.ts'
import { imageVolumeName } from '../../../src/plan/image-volumes.ts'
import { type ContractBench, leafWith } from './contract-bench.ts'
import { type FieldCase, RICH_IMAGE } from './field-case.ts'
import { FIELD_CASES } from './field-cases.ts'
import { RICH_CASES } from './rich-image-cases.ts'
import { BASE_IMAGE, leafOf } from './sample-tree.ts'

export function fieldContract(bench: ContractBench): void {
  const { ground, engine, uniqueName, create, read, changedFields, starts } = bench

  function fieldTest(key: string, image: string, fieldCase: FieldCase): void {
    const title = [key, ...(fieldCase.about === undefined ? [] : [fieldCase.about])].join(', ')
    it(`holds ${title}, and shows when it is added or taken away`, async () => {
      if (fieldCase.api !== undefined && compareVersions(bench.apiVersion(), fieldCase.api) < 0) return
      const leafName = uniqueName()
      const base = { ...(image === RICH_IMAGE ? { image, command: undefined } : {}), ...fieldCase.base }
      const without = leafWith(leafName, base)
      const wanted = leafWith(leafName, { ...base, ...fieldCase.set })
      const plain = await create(without)
      const unsupported = plain.running.unsupported
      const expected =
        fieldCase.mayBeUnsupported !== undefined && unsupported.includes(fieldCase.mayBeUnsupported)
          ? []
          : [...fieldCase.changes].toSorted()
      expect(await changedFields(without, plain)).toEqual([])
      expect(await changedFields(wanted, plain)).toEqual(expected)
      await engine().remove(plain.id)

      const made = await create(wanted)
      expect(await changedFields(wanted, made)).toEqual([])
      if (!fieldCase.removalUnseen) expect(await changedFields(without, made)).toEqual(expected)
      if (!fieldCase.neverStarted && (await starts(made.id, fieldCase.machineMayRefuse))) {
        const running = await read(made.id)
        expect(running.error).toBe('')
        expect(running.startedAt).not.toBeNull()
        expect(await changedFields(wanted, running)).toEqual([])
      }
      await engine().remove(made.id)
    })
  }

  describe('every field of a spec', () => {
    for (const [key, cases] of Object.entries(FIELD_CASES)) {
      for (const fieldCase of cases) fieldTest(key, BASE_IMAGE, fieldCase)
    }
  })

  describe('an image with values of its own', () => {
    for (const fieldCase of RICH_CASES) fieldTest('rich image', RICH_IMAGE, fieldCase)

    it('gets a labelled volume for each path the image declares, which outlives the container', async () => {
      const leaf = leafWith(uniqueName(), { image: RICH_IMAGE, command: undefined })
      const container = await create(leaf)
      const volumeName = imageVolumeName(ground().deployment, leaf.name, '/var/lib/rich')
      await engine().remove(container.id)
      const volume = (await engine().observe(ground().deployment, [])).volumes.get(volumeName)
      expect(volume).toMatchObject({ deployment: ground().deployment, kind: 'volume' })
    })

    it('shows one change for another image, and none for what the image brings', async () => {
      const leaf = leafOf(uniqueName())
      const container = await create(leaf)
      const other = leafWith(leaf.name, { image: RICH_IMAGE })
      expect(await changedFields(other, container)).toEqual(['image'])
      await engine().remove(container.id)
    })
  })
}
