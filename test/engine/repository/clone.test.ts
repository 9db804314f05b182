// The clone of a repository on a server: replaced when damaged, shared by processes, never left half made.

import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeRepository } from '../../unit/repository/git-sandbox.ts'
import { type Served, serveRepository } from './served-repository.ts'

const FILES = { 'deployment.yaml': 'name: one\n', 'set/leaf.yaml': 'generation: 1\n' }
let served: Served

beforeEach(async () => {
  served = await serveRepository(FILES)
})
afterEach(() => served.end())

describe('the clone', () => {
  it('is cloned afresh above some packs, with nothing lost', async () => {
    const repository = await served.open({ limits: { packs: 3 } })
    await repository.refresh()
    let most = 0
    for (let round = 0; round < 6; round++) {
      served.push({ a: String(round) })
      await repository.refresh()
      most = Math.max(most, served.packs().length)
    }
    expect(most).toBeLessThanOrEqual(3)
    expect(served.packs().length).toBeGreaterThan(0)
    expect((await repository.ancestors(served.head())).commits.length).toBe(7)
    expect(readdirSync(served.sandbox.path('cache')).filter((name) => name.startsWith('clone-')).length).toBe(1)
  })

  it.each([
    'a pack that was cut',
    'a pack with a wrong byte',
    'packs that are gone',
    'a clone that is gone',
    'a broken state',
  ])('with %s is replaced by itself', async (what) => {
    const { commit } = await (await served.open()).refresh()
    const [pack = ''] = served.packs()
    chmodSync(pack, 0o600)
    if (what === 'a pack that was cut') truncateSync(pack, 60)
    if (what === 'a pack with a wrong byte') {
      const bytes = readFileSync(pack)
      for (let at = 40; at < bytes.length - 20; at += 3) bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(pack, bytes)
    }
    if (what === 'packs that are gone') rmSync(pack.replace(/\/[^/]*$/, ''), { recursive: true })
    if (what === 'a clone that is gone') rmSync(pack.replace(/\/objects.*$/, ''), { recursive: true })
    if (what === 'a broken state') writeFileSync(served.sandbox.path('cache/state.json'), '{')
    const repository = await served.open()
    expect((await repository.refresh()).commit.id).toBe(commit.id)
    expect((await repository.snapshot(commit.id)).entries.size).toBe(2)
    expect(existsSync(served.sandbox.path('cache/state.json'))).toBe(true)
  })

  it('of another repository is not used', async () => {
    await (await served.open()).refresh()
    makeRepository(served.sandbox, 'second')
    const id = served.sandbox.commit('second', { x: '1' })
    const repository = await served.open({ repo: `${served.server.url}/second/.git` })
    expect((await repository.refresh()).commit.id).toBe(id)
    expect(readdirSync(served.sandbox.path('cache')).filter((name) => name.startsWith('clone-')).length).toBe(1)
  })

  it('serves two processes that fetch and read at once', async () => {
    const [one, two] = [await served.open({ limits: { packs: 2 } }), await served.open({ limits: { packs: 2 } })]
    for (let round = 0; round < 6; round++) {
      const id = served.push({ a: String(round) })
      const tips = await Promise.all([one.refresh(), two.refresh()])
      expect(tips.map(({ commit }) => commit.id)).toEqual([id, id])
      const both = await Promise.all([one.snapshot(id), two.snapshot(id)])
      expect(both.map(({ entries }) => entries.size)).toEqual([3, 3])
    }
  })

  it('survives a process that is killed at any moment', async () => {
    let waits = 0
    for (let round = 0; round < 12; round++) {
      const id = served.push({ a: String(round), large: 'x'.repeat(round * 50_000) })
      const victim = await served.open({ limits: { operationMs: 20 + round * 12 } })
      const outcome = await victim.refresh().catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ kind: 'timeout' })
        waits++
      }
      await victim.close()
      if (round % 3 !== 0) continue
      const next = await served.open()
      expect((await next.refresh()).commit.id).toBe(id)
      expect((await next.ancestors(id)).commits.length).toBe(round + 2)
      expect(readdirSync(served.sandbox.path('cache')).filter((name) => name !== 'state.json').length).toBe(1)
    }
    expect(waits).toBeGreaterThan(0)
  })
})

describe('secrets', () => {
  it('are nowhere in the clone, the description or a fault', async () => {
    const { port } = served.server
    const repository = await served.open({ repo: `http://ada:s3cr3t@127.0.0.1:${port}/served.git` })
    await repository.refresh()
    expect(repository.description).toBe(`http://127.0.0.1:${port}/served.git`)
    served.interfere(() => ({ status: 403 }))
    const fault: unknown = await repository.refresh().catch((error: unknown) => error)
    expect(fault).toMatchObject({ kind: 'auth' })
    expect(`${String(fault)} ${JSON.stringify(fault)}`).not.toContain('s3cr3t')
    expect(() => served.sandbox.git('cache', 'grep', '--no-index', '-rI', 's3cr3t')).toThrow()
    expect(served.sandbox.git('cache', 'grep', '--no-index', '-rIl', 'served.git')).toContain('state.json')
  })
})
