// Every key of a spec reaches the container: one container for each case, read with the engine's own inspection.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { callEngine } from '../../../src/engine/call.ts'
import { compareVersions } from '../../../src/plan/api-needs.ts'
import { type DockerGround, dockerGround } from './docker-ground.ts'
import { FIELD_CASES } from './field-cases.ts'
import { leafOf, treeOf } from './sample-tree.ts'

describe('every field reaches the engine', () => {
  let ground: DockerGround
  let peer = ''
  const deployment = `fields-${process.pid}`

  async function create(name: string, spec: object): Promise<string> {
    const leaf = leafOf(name, spec)
    const { engine } = ground
    const image = await engine.findImage(leaf.spec.image)
    if (image === null) throw new Error(`there is no ${leaf.spec.image}`)
    const tree = treeOf(deployment, [leaf])
    const joins = new Map([['peer', peer]])
    const imageReference = leaf.spec.image
    return engine.create({ name: `${deployment}-${name}`, tree, leaf, image, imageReference, runDigest: 'x', joins })
  }

  beforeAll(async () => {
    ground = await dockerGround(inject('engineUrl'), deployment)
    const { networks, volumes } = treeOf(deployment, [])
    for (const wish of networks.values()) await ground.engine.createNetwork(deployment, wish)
    for (const wish of volumes.values()) await ground.engine.createVolume(deployment, wish)
    peer = await create('peer', { ipc: 'shareable' })
    await ground.engine.start(peer)
  })

  afterAll(async () => {
    await ground.cleanUp()
  })

  for (const [key, cases] of Object.entries(FIELD_CASES)) {
    cases.forEach((fieldCase, index) => {
      it(`${key}${fieldCase.about === undefined ? '' : `, ${fieldCase.about}`}`, async () => {
        const { facts } = ground.connection
        if (fieldCase.api !== undefined && compareVersions(facts.apiVersion, fieldCase.api) < 0) return
        const missing = new Set<string>(ground.connection.defaults.missingLimits)
        if (fieldCase.mayBeUnsupported !== undefined && missing.has(fieldCase.mayBeUnsupported)) return
        const id = await create(`${key.replaceAll('_', '-')}-${index}`, { ...fieldCase.base, ...fieldCase.set })
        const inspected = await callEngine<unknown>(ground.connection, 'inspect', { path: `/containers/${id}/json` })
        for (const [path, wanted] of Object.entries(fieldCase.reaches)) {
          const value = at(inspected, path.replace(/~$/, '').replaceAll('DEPLOYMENT', deployment))
          if (path.endsWith('~')) expectToHold(value, wanted)
          else
            expect(value, path).toEqual(
              typeof wanted === 'string' ? fill(wanted) : wanted === null ? wanted : fillDeep(wanted),
            )
        }
        await ground.engine.remove(id)
      })
    })
  }

  it('a MAC address is the one the container then has', async () => {
    const address = '02:42:ac:11:aa:03'
    for (const spec of [{ mac_address: address }, { networks: { default: { aliases: [], mac_address: address } } }]) {
      const id = await create('mac', spec)
      await ground.engine.start(id)
      const inspected = await callEngine<unknown>(ground.connection, 'inspect', { path: `/containers/${id}/json` })
      expect(at(inspected, `NetworkSettings.Networks.${deployment}_default.MacAddress`)).toBe(address)
      await ground.engine.remove(id)
    }
  })

  it('another platform than the image’s is refused', async () => {
    await expect(create('platform-other', { platform: 'linux/s390x' })).rejects.toThrow(/platform/)
  })

  function fill(text: string): string {
    return text.replaceAll('DEPLOYMENT', deployment).replace('PEER', peer)
  }

  function fillDeep(value: unknown): unknown {
    return JSON.parse(fill(JSON.stringify(value)))
  }
})

function expectToHold(value: unknown, wanted: unknown): void {
  if (!Array.isArray(wanted)) return void expect(value).toMatchObject(wanted as object)
  for (const item of wanted) {
    if (item instanceof RegExp) expect(value).toEqual(expect.arrayContaining([expect.stringMatching(item)]))
    else expect(value).toContain(item)
  }
}

/** `A.B.0.C`; a dot inside a key is written `\.`. */
function at(value: unknown, path: string): unknown {
  let found: unknown = value
  for (const key of path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'))) {
    found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined
  }
  return found
}
