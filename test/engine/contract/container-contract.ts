// The contract, part two: what is done to a container, each as often as it is asked.

import { describe, expect, it } from 'vitest'

import type { Spec } from '../../../src/desired/spec.ts'
import { filesDigest } from '../../../src/plan/digests.ts'
import { type ContractBench, faultOf } from './contract-bench.ts'
import { BASE_IMAGE, leafOf } from './sample-tree.ts'

export function containerContract(bench: ContractBench): void {
  const { ground, engine, uniqueName, create, read, changedFields } = bench

  describe('a container', () => {
    it('is created with graft’s labels, policy no, and never started', async () => {
      const leaf = leafOf(uniqueName(), { restart: 'unless-stopped' })
      const container = await create(leaf)
      const image = await engine().findImage(BASE_IMAGE)
      expect(container).toMatchObject({
        name: `${ground().deployment}-${leaf.name}`,
        state: 'created',
        startedAt: null,
        restartPolicy: 'no',
        health: 'none',
        labels: {
          deployment: ground().deployment,
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
      await engine().remove(container.id)
    })

    it('refuses a name that is taken, for creation and for a rename', async () => {
      const leaf = leafOf(uniqueName())
      const first = await create(leaf)
      expect((await faultOf(create(leaf))).kind).toBe('name-taken')
      const second = await create(leafOf(uniqueName()))
      expect((await faultOf(engine().rename(second.id, first.name))).kind).toBe('name-taken')
      await engine().rename(second.id, `${first.name}.next`)
      await engine().rename(second.id, `${first.name}.next`)
      expect((await read(second.id)).name).toBe(`${first.name}.next`)
      await engine().remove(first.id)
      await engine().remove(second.id)
    })

    it('starts, stops and goes, each as often as it is asked', async () => {
      const { id } = await create(leafOf(uniqueName(), { stop_grace_period: 1000 }))
      await engine().stop(id)
      await engine().start(id)
      await engine().start(id)
      expect(await read(id)).toMatchObject({ state: 'running', finishedAt: null })
      expect((await read(id)).addresses.get(`${ground().deployment}_default`)?.ipv4).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      await engine().stop(id)
      await engine().stop(id)
      const stopped = await read(id)
      expect(stopped.state).toBe('exited')
      expect(stopped.finishedAt).not.toBeNull()
      expect(stopped.addresses.size).toBe(0)
      await engine().remove(id)
      await engine().remove(id)
      expect(await engine().inspect(id)).toBeNull()
    })

    it('is unpaused as often as it is asked', async () => {
      const { id } = await create(leafOf(uniqueName()))
      await engine().start(id)
      await engine().unpause(id)
      await engine().unpause(id)
      expect((await read(id)).state).toBe('running')
      await engine().remove(id)
    })

    it('that does not exist is not found', async () => {
      const nobody = 'f'.repeat(64)
      expect(await engine().inspect(nobody)).toBeNull()
      for (const work of [
        () => engine().start(nobody),
        () => engine().stop(nobody),
        () => engine().unpause(nobody),
        () => engine().rename(nobody, `${ground().deployment}-nobody`),
        () => engine().setRestartPolicy(nobody, 'always'),
      ]) {
        expect((await faultOf(work())).kind).toBe('not-found')
      }
      await engine().remove(nobody)
    })

    it('has the restart policy it was last given', async () => {
      const leaf = leafOf(uniqueName(), { restart: 'on-failure:3' })
      const { id } = await create(leaf)
      for (const policy of ['always', 'unless-stopped', 'on-failure', 'on-failure:3', 'no']) {
        await engine().setRestartPolicy(id, policy)
        expect((await read(id)).restartPolicy).toBe(policy)
      }
      expect(await changedFields(leaf, await read(id), 'on-failure:3')).toEqual(['restart'])
      await engine().setRestartPolicy(id, 'on-failure:3')
      expect(await changedFields(leaf, await read(id), 'on-failure:3')).toEqual([])
      await engine().remove(id)
    })

    it('gets its limits set while it runs', async () => {
      const leafName = uniqueName()
      const before = leafOf(leafName, { mem_limit: 64 * 2 ** 20, cpus: 0.25, pids_limit: 50 })
      const container = await create(before)
      await engine().start(container.id)
      const limits = { mem_limit: 256 * 2 ** 20, cpus: 0.5, cpu_shares: 512, mem_reservation: 16 * 2 ** 20 }
      const after = leafOf(leafName, limits)
      const unsupported = new Set<string>(container.running.unsupported)
      const differing = await changedFields(after, container)
      expect(differing).toEqual(
        ['cpu_shares', 'cpus', 'mem_limit', 'mem_reservation', 'pids_limit'].filter((field) => !unsupported.has(field)),
      )
      await engine().updateLimits(container.id, after, differing)
      expect(await changedFields(after, await read(container.id))).toEqual([])
      await engine().remove(container.id)
    })

    it('leaves and joins a network with its aliases, as often as it is asked', async () => {
      const leaf = leafOf(uniqueName(), {
        networks: { default: { aliases: [] }, backend: { aliases: ['delta'] } },
      })
      const { id } = await create(leaf)
      await engine().start(id)
      const network = `${ground().deployment}_backend`
      await engine().disconnect(id, network)
      await engine().disconnect(id, network)
      expect(await changedFields(leaf, await read(id))).toEqual(['networks.backend'])
      await engine().connect(id, leaf, 'backend', network)
      await engine().connect(id, leaf, 'backend', network)
      expect(await changedFields(leaf, await read(id))).toEqual([])
      await engine().remove(id)
    })

    it('whose command is not there blames the spec', async () => {
      const container = await create(leafOf(uniqueName(), { command: ['/no/such/command'], init: false }))
      const fault = await faultOf(engine().start(container.id))
      expect(fault.kind).toBe('start-failed')
      expect(fault.remedy).not.toBe('')
      await engine().remove(container.id)
    })

    it('tells the exit code of its command', async () => {
      const { id } = await create(leafOf(uniqueName(), { command: ['sh', '-c', 'exit 7'] }))
      await engine().start(id)
      expect(await engine().waitForExit(id, AbortSignal.timeout(30_000))).toEqual({ exitCode: 7 })
      expect(await read(id)).toMatchObject({ state: 'exited', exitCode: 7 })
      await engine().remove(id)
    })

    it('carries the digest of its files', async () => {
      const content = Buffer.from('answer = 42\n')
      const files: Spec['files'] = { '/etc/sample.conf': { sha256: 'b'.repeat(64), mode: 0o444, uid: 0, gid: 0 } }
      const leaf = leafOf(uniqueName(), { files }, new Map([['/etc/sample.conf', content]]))
      const container = await create(leaf)
      expect(container.labels.files).toBe(filesDigest(files))
      await engine().remove(container.id)
    })
  })
}
