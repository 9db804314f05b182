// What every implementation of `Engine` must do for those who watch a container: checks, logs, exits, events.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Engine, type EngineEvent, EngineFault, type LogLine } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import type { EngineGround } from './contract-bench.ts'
import { leafOf, treeOf } from './sample-tree.ts'

/** Commands that stand for programs; an engine without real ones plays them. */
export const WRITES_AND_EXITS = ['sh', '-c', 'echo one; echo two; exit 7']
export const LISTENS_ON_8080 = ['httpd', '-f', '-p', '8080']

const NOBODY = 'f'.repeat(64)

export function watchingContract(name: string, makeGround: () => Promise<EngineGround>): void {
  describe(`${name}: watching contract`, () => {
    let ground: EngineGround
    let engine: Engine
    let count = 0

    async function started(spec: Partial<Spec> = {}): Promise<string> {
      const leaf = leafOf(`watched-${++count}`, { stop_grace_period: 1000, ...spec })
      const image = await engine.findImage(leaf.spec.image)
      if (image === null) throw new Error(`the ground lacks ${leaf.spec.image}`)
      const tree = treeOf(ground.deployment, [leaf])
      const containerName = `${ground.deployment}-${leaf.name}`
      const order = {
        name: containerName,
        tree,
        leaf,
        image,
        imageReference: leaf.spec.image,
        runDigest: '',
        joins: new Map(),
      }
      const id = await engine.create(order)
      await engine.start(id)
      return id
    }

    async function kindOf(work: Promise<unknown>): Promise<string> {
      const error: unknown = await work.then(
        () => null,
        (reason: unknown) => reason,
      )
      return error instanceof EngineFault ? error.kind : `no EngineFault but ${String(error)}`
    }

    async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
      const all: LogLine[] = []
      for await (const line of lines) all.push(line)
      return all
    }

    beforeAll(async () => {
      ground = await makeGround()
      engine = ground.engine
      for (const wish of treeOf(ground.deployment, []).networks.values()) {
        await engine.createNetwork(ground.deployment, wish)
      }
    })

    afterAll(async () => {
      await ground.cleanUp()
    })

    it('runs a check inside, and says where it cannot', async () => {
      const id = await started()
      expect(await engine.exec(id, ['true'], 5000)).toEqual({ healthy: true, output: 'exit 0' })
      await engine.stop(id)
      expect(await engine.exec(id, ['true'], 5000)).toEqual({ healthy: false, output: 'the container is not running' })
      await engine.remove(id)
      expect(await kindOf(engine.exec(NOBODY, ['true'], 5000))).toBe('not-found')
    })

    it('tells one that somebody stopped from one that ended by itself', async () => {
      const look = async (id: string) => {
        const seen = await engine.inspect(id)
        if (seen === null) throw new Error(`${id} is gone`)
        return seen
      }
      const stopped = await started()
      await engine.stop(stopped)
      expect(await engine.endedBy(await look(stopped))).toBe('signal')
      const ended = await started({ command: WRITES_AND_EXITS })
      await engine.waitForExit(ended, new AbortController().signal)
      expect(await engine.endedBy(await look(ended))).toBe('itself')
      await engine.remove(stopped)
      await engine.remove(ended)
    })

    it('opens a connection to a container, and says where it cannot', async () => {
      const id = await started({ command: LISTENS_ON_8080 })
      const target = { kind: 'tcp', port: 8080 } as const
      let result = await engine.probe(id, target, 3000)
      for (let attempt = 0; attempt < 100 && !result.healthy; attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        result = await engine.probe(id, target, 3000)
      }
      expect(result).toEqual({ healthy: true, output: 'port 8080 is open' })
      expect(await engine.openConnections(id)).toBe(0)
      await engine.stop(id)
      expect(await engine.probe(id, target, 3000)).toEqual({ healthy: false, output: 'the container is not running' })
      expect(await engine.openConnections(id)).toBe(0)
      await engine.remove(id)
      expect(await kindOf(engine.probe(NOBODY, target, 3000))).toBe('not-found')
    })

    it('gives the log of a container that has exited, whole or its end', async () => {
      const id = await started({ command: WRITES_AND_EXITS })
      expect(await engine.waitForExit(id, AbortSignal.timeout(30_000))).toEqual({ exitCode: 7 })
      const all = await collect(engine.logs(id, {}))
      expect(all.map(({ stream, text }) => [stream, text])).toEqual([
        ['stdout', 'one'],
        ['stdout', 'two'],
      ])
      const { startedAt } = (await engine.inspect(id)) ?? {}
      for (const line of all) expect(Math.abs(line.time - (startedAt ?? 0))).toBeLessThan(10_000)
      expect((await collect(engine.logs(id, { tail: 1 }))).map(({ text }) => text)).toEqual(['two'])
      expect((await collect(engine.logs(id, { follow: true }))).map(({ text }) => text)).toEqual(['one', 'two'])
      await engine.remove(id)
      expect(await kindOf(collect(engine.logs(NOBODY, {})))).toBe('not-found')
    })

    it('stops waiting for an exit when it is told to, with the reason', async () => {
      const id = await started()
      const controller = new AbortController()
      const waiting = engine.waitForExit(id, controller.signal)
      const reason = new Error('a newer commit')
      setTimeout(() => controller.abort(reason), 20)
      await expect(waiting).rejects.toBe(reason)
      await engine.remove(id)
      expect(await kindOf(engine.waitForExit(NOBODY, new AbortController().signal))).toBe('not-found')
    })

    it('tells of an exit while somebody waits', async () => {
      const id = await started()
      const waiting = engine.waitForExit(id, AbortSignal.timeout(30_000))
      await engine.stop(id)
      expect((await waiting).exitCode).toBeGreaterThan(0)
      await engine.remove(id)
    })

    it('tells of what happens to the deployment’s containers, and ends when it is told to', async () => {
      const controller = new AbortController()
      const events: EngineEvent[] = []
      const stream = engine.events(ground.deployment, controller.signal)
      const reading = (async () => {
        for await (const event of stream) events.push(event)
      })()
      // The connection is made meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 300))
      const id = await started()
      await engine.rename(id, `${ground.deployment}-other-name`)
      await engine.setRestartPolicy(id, 'always')
      await engine.disconnect(id, `${ground.deployment}_default`)
      await engine.stop(id)
      await engine.remove(id)
      for (let attempt = 0; attempt < 100 && events.at(-1)?.action !== 'destroy'; attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      controller.abort()
      await reading
      const told = ['create', 'start', 'rename', 'update', 'disconnect', 'die', 'stop', 'destroy']
      expect(events.map(({ action }) => action).filter((action) => told.includes(action))).toEqual(
        expect.arrayContaining(told),
      )
      expect(new Set(events.map(({ containerId }) => containerId))).toEqual(new Set([id]))
      expect(events.find(({ action }) => action === 'start')?.leaf).toBe(`watched-${count}`)
    })
  })
}
