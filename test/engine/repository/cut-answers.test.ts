// Answers of a Git server that end too early or are not what was promised: nothing is taken over from them.

import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectRecovery, type Served, serveRepository } from './served-repository.ts'

const FILES = { 'deployment.yaml': 'name: one\n', noise: randomBytes(200_000) }
let served: Served

beforeEach(async () => {
  served = await serveRepository(FILES)
})
afterEach(() => served.end())

describe('an answer that is cut', () => {
  it.each([0, 1, 5, 8, 30, 500, 65_520, 100_000, 160_000])('after %i bytes changes nothing', async (bytes) => {
    const repository = await served.open()
    await repository.refresh()
    served.push({ noise: randomBytes(150_000).toString('hex') })
    let posts = 0
    served.interfere((line) => (line.startsWith('POST') && ++posts > 1 ? { cutAfterBytes: bytes } : null))
    await expect(repository.refresh()).rejects.toMatchObject({ kind: expect.stringMatching(/^(server|unreachable)$/) })
    await expectRecovery(served, repository)
    expect(readdirSync(served.sandbox.path('cache')).toSorted()).toEqual([
      expect.stringMatching(/^clone-/),
      'state.json',
    ])
  })

  it.each([0, 1, 2, 3, 4])('cleanly, after %i whole packets, changes nothing', async (count) => {
    let cutting = true
    const { port } = await served.front({
      behind: served.server.url,
      rewrite: ({ method }, body) =>
        cutting && method === 'POST' && body.includes('PACK') ? packets(body, count) : body,
    })
    const repository = await served.open({
      repo: `http://127.0.0.1:${port}/served.git`,
      limits: { operationMs: 20_000 },
    })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    cutting = false
    await expectRecovery(served, repository)
    cutting = true
    served.push({ noise: randomBytes(150_000).toString('hex') })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    cutting = false
    await expectRecovery(served, repository)
  })

  it.each([0, 1, 2, 3])(
    'in the list of refs, cleanly, after %i whole packets, does not make a branch disappear',
    async (count) => {
      let cutting = true
      for (const name of ['b', 'c', 'd']) served.sandbox.git('served.git', 'branch', name)
      const { port } = await served.front({
        behind: served.server.url,
        rewrite: ({ method }, body) => (cutting && method === 'POST' ? packets(body, count) : body),
      })
      for (const ref of ['main', 'refs/heads/main']) {
        cutting = true
        const repository = await served.open({ repo: `http://127.0.0.1:${port}/served.git`, ref })
        // The list for one branch is one packet and the end.
        if (count < 2) await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
        cutting = false
        await expectRecovery(served, repository)
      }
      cutting = true
      const fixed = await served.open({
        repo: `http://127.0.0.1:${port}/served.git`,
        ref: '1'.repeat(40),
        cache: served.sandbox.path('other'),
      })
      await expect(fixed.refresh()).rejects.toMatchObject({ kind: 'server' })
    },
  )

  it.each(['an error on side band 3', 'an ERR packet'])('by %s changes nothing', async (what) => {
    let failing = true
    const message = what.includes('ERR')
      ? packet('ERR no more today\n')
      : Buffer.concat([packet('NAK\n'), packet('\u0003no more today\n'), Buffer.from('0000')])
    const { port } = await served.front({
      behind: served.server.url,
      rewrite: ({ method }, body) => (failing && method === 'POST' && body.includes('PACK') ? message : body),
    })
    const repository = await served.open({
      repo: `http://127.0.0.1:${port}/served.git`,
      limits: { operationMs: 20_000 },
    })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    failing = false
    await expectRecovery(served, repository)
  })

  it('and one with a wrong byte changes nothing', async () => {
    let failing = true
    const { port } = await served.front({
      behind: served.server.url,
      rewrite: ({ method }, body) => {
        if (!failing || method !== 'POST' || !body.includes('PACK')) return body
        const wrong = Buffer.from(body)
        wrong[wrong.length - 5000] = (wrong[wrong.length - 5000] ?? 0) ^ 1
        return wrong
      },
    })
    const repository = await served.open({
      repo: `http://127.0.0.1:${port}/served.git`,
      limits: { operationMs: 20_000 },
    })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    failing = false
    await expectRecovery(served, repository)
  })
})

function packet(text: string): Buffer {
  return Buffer.from((text.length + 4).toString(16).padStart(4, '0') + text, 'latin1')
}

/** The first packets of an answer, in Git's packet lines. */
function packets(body: Buffer, count: number): Buffer {
  let at = 0
  for (let number = 0; number < count && at < body.length; number++) {
    at += Math.max(4, Number.parseInt(body.toString('latin1', at, at + 4), 16))
  }
  return body.subarray(0, at)
}
