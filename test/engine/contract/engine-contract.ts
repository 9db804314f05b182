// What every implementation of `Engine` must do. Called once for each of them with a way to get one.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type CreateOrder, type Engine, EngineFault } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { compareVersions } from '../../../src/plan/api-needs.ts'
import { compareContainer } from '../../../src/plan/compare.ts'
import { filesDigest, optionsDigest } from '../../../src/plan/digests.ts'
import { imageVolumeName } from '../../../src/plan/image-volumes.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { FIELD_CASES, type FieldCase, OTHER_IMAGE, RICH_CASES, RICH_IMAGE } from './field-cases.ts'
import { BASE_IMAGE, leafOf, treeOf } from './sample-tree.ts'

export interface EngineGround {
  /** Has the images of field-cases.ts. */
  readonly engine: Engine
  /** Not used by anybody else. */
  readonly deployment: string
  /** A container that is not graft's, with this name; the result removes it. */
  addForeign(name: string): Promise<() => Promise<void>>
  /** Removes all that the deployment has on the engine. */
  cleanUp(): Promise<void>
}

const NO_JOINS: ReadonlyMap<string, string> = new Map()

export function engineContract(name: string, makeGround: () => Promise<EngineGround>): void {
  describe(`${name}: contract`, () => {
    let ground: EngineGround
    let engine: Engine
    let apiVersion = ''
    let joins: ReadonlyMap<string, string> = NO_JOINS
    let count = 0

    const tree = (...leaves: Leaf[]): Tree => treeOf(ground.deployment, leaves)
    const uniqueName = (): string => `leaf-${++count}`

    async function order(leaf: Leaf, containerName = `${ground.deployment}-${leaf.name}`): Promise<CreateOrder> {
      const image = await engine.findImage(leaf.spec.image)
      if (image === null) throw new Error(`the ground lacks ${leaf.spec.image}`)
      const runDigest = 'd'.repeat(64)
      return { name: containerName, tree: tree(leaf), leaf, image, imageReference: leaf.spec.image, runDigest, joins }
    }

    async function create(leaf: Leaf): Promise<ObservedContainer> {
      const id = await engine.create(await order(leaf))
      await engine.putFiles(id, leaf)
      return read(id)
    }

    async function read(id: string): Promise<ObservedContainer> {
      const container = await engine.inspect(id)
      if (container === null) throw new Error(`${id} is not there`)
      return container
    }

    async function changedFields(
      leaf: Leaf,
      container: ObservedContainer,
      policy: string | null = null,
    ): Promise<string[]> {
      const image = await engine.findImage(leaf.spec.image)
      const context = { joins, restartPolicyWanted: policy }
      return compareContainer({ leaf, tree: tree(leaf), image }, container, context).map((change) => change.field)
    }

    async function starts(id: string, mayRefuse: RegExp | undefined): Promise<boolean> {
      try {
        await engine.start(id)
        return true
      } catch (error) {
        if (error instanceof Error && mayRefuse?.test(error.message)) return false
        throw error
      }
    }

    async function faultOf(work: Promise<unknown>): Promise<EngineFault> {
      const error: unknown = await work.then(
        () => null,
        (reason: unknown) => reason,
      )
      if (!(error instanceof EngineFault)) throw new Error(`no EngineFault but ${String(error)}`)
      return error
    }

    beforeAll(async () => {
      ground = await makeGround()
      engine = ground.engine
      apiVersion = (await engine.observe(ground.deployment, [])).engine.apiVersion
      const { networks, volumes } = tree()
      for (const wish of networks.values()) await engine.createNetwork(ground.deployment, wish)
      for (const wish of volumes.values()) await engine.createVolume(ground.deployment, wish)
      const peer = await create(leafOf('peer', { ipc: 'shareable' }))
      await engine.start(peer.id)
      joins = new Map([['peer', peer.id]])
    })

    afterAll(async () => {
      await ground.cleanUp()
    })

    function fieldTest(key: string, image: string, fieldCase: FieldCase): void {
      const title = [key, ...(fieldCase.about === undefined ? [] : [fieldCase.about])].join(', ')
      it(`holds ${title}, and shows when it is added or taken away`, async () => {
        if (fieldCase.api !== undefined && compareVersions(apiVersion, fieldCase.api) < 0) return
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
        await engine.remove(plain.id)

        const made = await create(wanted)
        expect(await changedFields(wanted, made)).toEqual([])
        if (!fieldCase.removalUnseen) expect(await changedFields(without, made)).toEqual(expected)
        if (!fieldCase.neverStarted && (await starts(made.id, fieldCase.machineMayRefuse))) {
          const running = await read(made.id)
          expect(running.error).toBe('')
          expect(running.startedAt).not.toBeNull()
          expect(await changedFields(wanted, running)).toEqual([])
        }
        await engine.remove(made.id)
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
        const volumeName = imageVolumeName(ground.deployment, leaf.name, '/var/lib/rich')
        await engine.remove(container.id)
        const volume = (await engine.observe(ground.deployment, [])).volumes.get(volumeName)
        expect(volume).toMatchObject({ deployment: ground.deployment, kind: 'volume' })
      })

      it('shows one change for another image, and none for what the image brings', async () => {
        const leaf = leafOf(uniqueName())
        const container = await create(leaf)
        const other = leafWith(leaf.name, { image: RICH_IMAGE })
        expect(await changedFields(other, container)).toEqual(['image'])
        await engine.remove(container.id)
      })
    })

    describe('a container', () => {
      it('is created with graft’s labels, policy no, and never started', async () => {
        const leaf = leafOf(uniqueName(), { restart: 'unless-stopped' })
        const container = await create(leaf)
        const image = await engine.findImage(BASE_IMAGE)
        expect(container).toMatchObject({
          name: `${ground.deployment}-${leaf.name}`,
          state: 'created',
          startedAt: null,
          restartPolicy: 'no',
          health: 'none',
          labels: {
            deployment: ground.deployment,
            leaf: leaf.name,
            kind: 'container',
            generation: 7,
            digest: 'd'.repeat(64),
            commit: 'c'.repeat(40),
            restart: 'unless-stopped',
            image: BASE_IMAGE,
            imageId: image?.id,
            files: '',
          },
        })
        await engine.remove(container.id)
      })

      it('refuses a name that is taken, for creation and for a rename', async () => {
        const leaf = leafOf(uniqueName())
        const first = await create(leaf)
        expect((await faultOf(create(leaf))).kind).toBe('name-taken')
        const second = await create(leafOf(uniqueName()))
        expect((await faultOf(engine.rename(second.id, first.name))).kind).toBe('name-taken')
        await engine.rename(second.id, `${first.name}.next`)
        await engine.rename(second.id, `${first.name}.next`)
        expect((await read(second.id)).name).toBe(`${first.name}.next`)
        await engine.remove(first.id)
        await engine.remove(second.id)
      })

      it('starts, stops and goes, each as often as it is asked', async () => {
        const { id } = await create(leafOf(uniqueName(), { stop_grace_period: 1000 }))
        await engine.stop(id)
        await engine.start(id)
        await engine.start(id)
        expect(await read(id)).toMatchObject({ state: 'running', finishedAt: null })
        expect((await read(id)).addresses.get(`${ground.deployment}_default`)?.ipv4).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
        await engine.stop(id)
        await engine.stop(id)
        const stopped = await read(id)
        expect(stopped.state).toBe('exited')
        expect(stopped.finishedAt).not.toBeNull()
        expect(stopped.addresses.size).toBe(0)
        await engine.remove(id)
        await engine.remove(id)
        expect(await engine.inspect(id)).toBeNull()
      })

      it('is unpaused as often as it is asked', async () => {
        const { id } = await create(leafOf(uniqueName()))
        await engine.start(id)
        await engine.unpause(id)
        await engine.unpause(id)
        expect((await read(id)).state).toBe('running')
        await engine.remove(id)
      })

      it('that does not exist is not found', async () => {
        const nobody = 'f'.repeat(64)
        expect(await engine.inspect(nobody)).toBeNull()
        for (const work of [
          () => engine.start(nobody),
          () => engine.stop(nobody),
          () => engine.unpause(nobody),
          () => engine.rename(nobody, `${ground.deployment}-nobody`),
          () => engine.setRestartPolicy(nobody, 'always'),
        ]) {
          expect((await faultOf(work())).kind).toBe('not-found')
        }
        await engine.remove(nobody)
      })

      it('has the restart policy it was last given', async () => {
        const leaf = leafOf(uniqueName(), { restart: 'on-failure:3' })
        const { id } = await create(leaf)
        for (const policy of ['always', 'unless-stopped', 'on-failure', 'on-failure:3', 'no']) {
          await engine.setRestartPolicy(id, policy)
          expect((await read(id)).restartPolicy).toBe(policy)
        }
        expect(await changedFields(leaf, await read(id), 'on-failure:3')).toEqual(['restart'])
        await engine.setRestartPolicy(id, 'on-failure:3')
        expect(await changedFields(leaf, await read(id), 'on-failure:3')).toEqual([])
        await engine.remove(id)
      })

      it('gets its limits set while it runs', async () => {
        const leafName = uniqueName()
        const before = leafOf(leafName, { mem_limit: 64 * 2 ** 20, cpus: 0.25, pids_limit: 50 })
        const container = await create(before)
        await engine.start(container.id)
        const limits = { mem_limit: 256 * 2 ** 20, cpus: 0.5, cpu_shares: 512, mem_reservation: 16 * 2 ** 20 }
        const after = leafOf(leafName, limits)
        const unsupported = new Set<string>(container.running.unsupported)
        const differing = await changedFields(after, container)
        expect(differing).toEqual(
          ['cpu_shares', 'cpus', 'mem_limit', 'mem_reservation', 'pids_limit'].filter(
            (field) => !unsupported.has(field),
          ),
        )
        await engine.updateLimits(container.id, after, differing)
        expect(await changedFields(after, await read(container.id))).toEqual([])
        await engine.remove(container.id)
      })

      it('leaves and joins a network with its aliases, as often as it is asked', async () => {
        const leaf = leafOf(uniqueName(), {
          networks: { default: { aliases: [] }, backend: { aliases: ['delta'] } },
        })
        const { id } = await create(leaf)
        await engine.start(id)
        const network = `${ground.deployment}_backend`
        await engine.disconnect(id, network)
        await engine.disconnect(id, network)
        expect(await changedFields(leaf, await read(id))).toEqual(['networks.backend'])
        await engine.connect(id, leaf, 'backend', network)
        await engine.connect(id, leaf, 'backend', network)
        expect(await changedFields(leaf, await read(id))).toEqual([])
        await engine.remove(id)
      })

      it('whose command is not there blames the spec', async () => {
        const container = await create(leafOf(uniqueName(), { command: ['/no/such/command'], init: false }))
        const fault = await faultOf(engine.start(container.id))
        expect(fault.kind).toBe('start-failed')
        expect(fault.remedy).not.toBe('')
        await engine.remove(container.id)
      })

      it('tells the exit code of its command', async () => {
        const { id } = await create(leafOf(uniqueName(), { command: ['sh', '-c', 'exit 7'] }))
        await engine.start(id)
        expect(await engine.waitForExit(id, AbortSignal.timeout(30_000))).toEqual({ exitCode: 7 })
        expect(await read(id)).toMatchObject({ state: 'exited', exitCode: 7 })
        await engine.remove(id)
      })

      it('carries the digest of its files', async () => {
        const content = Buffer.from('answer = 42\n')
        const files: Spec['files'] = { '/etc/sample.conf': { sha256: 'b'.repeat(64), mode: 0o444, uid: 0, gid: 0 } }
        const leaf = leafOf(uniqueName(), { files }, new Map([['/etc/sample.conf', content]]))
        const container = await create(leaf)
        expect(container.labels.files).toBe(filesDigest(files))
        await engine.remove(container.id)
      })
    })

    describe('one look', () => {
      it('finds the deployment’s containers by name order, and others only as names that are taken', async () => {
        const foreign = `${ground.deployment}-foreign`
        const removeForeign = await ground.addForeign(foreign)
        const [b, a] = [await create(leafOf('zz-b')), await create(leafOf('zz-a'))]
        const observed = await engine.observe(ground.deployment, [BASE_IMAGE, 'graft-test/absent:1'])
        const names = observed.containers.map((container) => container.name)
        expect(names).toEqual(names.toSorted())
        expect(names).toContain(a.name)
        expect(names).toContain(b.name)
        expect(names).not.toContain(foreign)
        expect(observed.foreignNames.get(foreign)).toMatch(new RegExp(`^container ${foreign} \\(image `))
        expect(observed.images.get(BASE_IMAGE)).toEqual(await engine.findImage(BASE_IMAGE))
        expect(observed.images.get('graft-test/absent:1')).toBeNull()
        expect(observed.containers.find((container) => container.id === a.id)).toEqual(await engine.inspect(a.id))
        await engine.remove(a.id)
        await engine.remove(b.id)
        await removeForeign()
      })

      it('finds networks and volumes with what they were made with', async () => {
        const { networks, volumes } = tree()
        const observed = await engine.observe(ground.deployment, [])
        for (const wish of networks.values()) {
          expect(observed.networks.get(wish.name)).toMatchObject({
            deployment: ground.deployment,
            optionsDigest: optionsDigest(wish.options),
          })
        }
        for (const wish of volumes.values()) {
          expect(observed.volumes.get(wish.name)).toMatchObject({
            deployment: ground.deployment,
            kind: 'volume',
            optionsDigest: optionsDigest(wish.options),
            options: { driver: 'local', labels: wish.options.labels },
          })
        }
        const network = `${ground.deployment}_default`
        const joined = observed.containers.filter((container) => container.running.networks[network] !== undefined)
        expect(joined.map((container) => container.labels.leaf)).toContain('peer')
        expect(observed.networks.get(network)?.endpoints).toBe(joined.length)
      })

      it('sees each step of a container at once', async () => {
        const leaf = leafOf(uniqueName())
        const { id } = await create(leaf)
        const seen = async () => (await engine.observe(ground.deployment, [])).containers.find((c) => c.id === id)
        expect(await seen()).toMatchObject({ state: 'created' })
        await engine.start(id)
        expect(await seen()).toMatchObject({ state: 'running' })
        await engine.setRestartPolicy(id, 'always')
        expect(await seen()).toMatchObject({ restartPolicy: 'always' })
        await engine.rename(id, `${ground.deployment}-renamed`)
        expect(await seen()).toMatchObject({ name: `${ground.deployment}-renamed` })
        await engine.remove(id)
        expect(await seen()).toBeUndefined()
      })
    })

    describe('networks, volumes and tags', () => {
      it('are made twice without harm', async () => {
        const { networks, volumes } = tree()
        for (const wish of networks.values()) await engine.createNetwork(ground.deployment, wish)
        for (const wish of volumes.values()) await engine.createVolume(ground.deployment, wish)
      })

      it('are not taken from another deployment', async () => {
        const { networks, volumes } = tree()
        const [network] = networks.values()
        const [volume] = volumes.values()
        if (network === undefined || volume === undefined) throw new Error('the sample has none')
        expect((await faultOf(engine.createNetwork('someone-else', network))).kind).toBe('name-taken')
        expect((await faultOf(engine.createVolume('someone-else', volume))).kind).toBe('name-taken')
      })

      it('marks a job as done with an empty volume', async () => {
        const mark = `${ground.deployment}_job.done-g3`
        await engine.createMark(ground.deployment, mark, 'job', 3)
        await engine.createMark(ground.deployment, mark, 'job', 3)
        const observed = await engine.observe(ground.deployment, [])
        expect(observed.volumes.get(mark)).toMatchObject({ kind: 'job-done', leaf: 'job', generation: 3 })
      })

      it('removes a network, also one that is gone', async () => {
        const wish = { key: 'brief', name: `${ground.deployment}_brief`, external: false, options: networkOptions() }
        await engine.createNetwork(ground.deployment, wish)
        const id = (await engine.observe(ground.deployment, [])).networks.get(wish.name)?.id ?? ''
        await engine.removeNetwork(id)
        await engine.removeNetwork(id)
        expect((await engine.observe(ground.deployment, [])).networks.has(wish.name)).toBe(false)
      })

      it('finds rollback tags, and takes them away', async () => {
        const image = await engine.findImage(OTHER_IMAGE)
        const tag = `graft.local/${ground.deployment}/web:g3-${(image?.id ?? '').slice(7, 19)}`
        await engine.tagImage(image?.id ?? '', tag)
        await engine.tagImage(image?.id ?? '', tag)
        expect(await engine.rollbackTags(ground.deployment, 'web')).toEqual([tag])
        expect((await engine.observe(ground.deployment, [])).images.get(tag)?.id).toBe(image?.id)
        await engine.removeTag(tag)
        await engine.removeTag(tag)
        expect(await engine.findImage(tag)).toBeNull()
      })
    })

    function networkOptions() {
      const [wish] = tree().networks.values()
      if (wish === undefined) throw new Error('the sample has no network')
      return wish.options
    }
  })
}

/** A key whose value is undefined is taken out of the plain spec. */
function leafWith(name: string, spec: { [Key in keyof Spec]?: Spec[Key] | undefined }): Leaf {
  const leaf = leafOf(name)
  const merged = Object.fromEntries(
    Object.entries({ ...leaf.spec, ...spec }).filter(([, value]) => value !== undefined),
  )
  const contents = new Map(Object.keys(spec.files ?? {}).map((path) => [path, Buffer.from(`content of ${path}\n`)]))
  return { ...leaf, spec: merged as unknown as Spec, fileContents: contents }
}
