// The store against native Git: every object of packs, loose files and thin chains, and what happens when one is damaged.

import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DamagedStore, MissingObject } from '../../../src/repository/git-object.ts'
import { hashOf, openObjectStore } from '../../../src/repository/object-store.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = openSandbox()
})
afterAll(() => sandbox.remove())

/** Files that make deltas in both directions, empty ones, random ones, and more than one commit. */
function fill(where: string): void {
  makeRepository(sandbox, where)
  let text = Array.from({ length: 400 }, (_, line) => `line ${line} of a file that changes little`).join('\n')
  for (let round = 0; round < 12; round++) {
    text = text.replace(`line ${round * 30} `, `LINE ${round} `) + `\nround ${round}`
    sandbox.commit(where, {
      'large.txt': text,
      [`folder/${round}.txt`]: `only ${round}`,
      empty: '',
      [`random-${round % 3}.bin`]: randomBytes(2000 + round * 977),
    })
  }
  sandbox.git(where, 'tag', '-a', 'v1', '-m', 'A tag')
}

function everyObject(where: string): { oid: string; type: string; size: number }[] {
  const list = sandbox.git(where, 'cat-file', '--batch-all-objects', '--batch-check')
  return list.split('\n').map((line) => {
    const [oid = '', type = '', size = ''] = line.split(' ')
    return { oid, type, size: Number(size) }
  })
}

function expectAllReadable(where: string): void {
  const store = openObjectStore([sandbox.path(where, '.git/objects')])
  const all = everyObject(where)
  expect(all.length).toBeGreaterThan(60)
  for (const { oid, type, size } of all) {
    const object = store.read(oid)
    expect(object.type).toBe(type)
    expect(object.content.length).toBe(size)
    expect(hashOf(type, object.content)).toBe(oid)
    expect(store.readUpTo(oid, -1)).toEqual({ type, size, content: null })
  }
  store.close()
}

describe('reading objects', () => {
  it('gives every loose object, and knows sizes without reading', () => {
    fill('loose')
    expectAllReadable('loose')
  })

  it('gives every packed object, with deltas by offset', () => {
    fill('packed')
    sandbox.git('packed', 'repack', '-adq', '--depth=50')
    expect(sandbox.git('packed', 'verify-pack', '-v', ...packs('packed', 'idx'))).toMatch(/chain length = [2-9]/)
    expectAllReadable('packed')
  })

  it('gives every packed object, with deltas by name', () => {
    fill('named')
    sandbox.git('named', '-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adq')
    expectAllReadable('named')
  })

  it('gives objects of several packs and loose ones together', () => {
    fill('mixed')
    sandbox.git('mixed', 'repack', '-dq')
    sandbox.commit('mixed', { 'later.txt': 'later' })
    sandbox.git('mixed', 'repack', '-dq')
    sandbox.commit('mixed', { 'latest.txt': 'latest' })
    expect(packs('mixed', 'pack').length).toBe(2)
    expectAllReadable('mixed')
  })

  it('finds objects again when native Git repacks in the meantime', () => {
    fill('moving')
    const store = openObjectStore([sandbox.path('moving', '.git/objects')])
    const all = everyObject('moving')
    for (const { oid } of all.slice(0, 5)) store.read(oid)
    sandbox.git('moving', 'gc', '-q', '--prune=now')
    for (const { oid } of all.slice(0, 40)) store.read(oid)
    sandbox.commit('moving', { 'more.txt': 'more' })
    sandbox.git('moving', 'repack', '-adfq', '--depth=5')
    for (const { oid } of everyObject('moving')) expect(store.has(oid)).toBe(true)
    store.close()
  })

  it('leaves out the content of what is too large, also where it is stored as a delta', () => {
    makeRepository(sandbox, 'large')
    const base = randomBytes(300_000)
    sandbox.commit('large', { big: base })
    sandbox.commit('large', { big: Buffer.concat([base, Buffer.from('and a little more')]) })
    sandbox.git('large', 'repack', '-adfq', '--window=10')
    const store = openObjectStore([sandbox.path('large', '.git/objects')])
    const oids = ['HEAD:big', 'HEAD~1:big'].map((name) => sandbox.git('large', 'rev-parse', name))
    expect(oids.map((oid) => store.readUpTo(oid, 1000))).toEqual([
      { type: 'blob', size: 300_017, content: null },
      { type: 'blob', size: 300_000, content: null },
    ])
    expect(oids.map((oid) => store.read(oid).content.length)).toEqual([300_017, 300_000])
  })
})

describe('what is not there or not whole', () => {
  it('is told apart: missing', () => {
    fill('missing')
    const store = openObjectStore([sandbox.path('missing', '.git/objects')])
    const absent = 'f'.repeat(40)
    expect(store.has(absent)).toBe(false)
    expect(() => store.read(absent)).toThrow(MissingObject)
  })

  it('is told apart: each damaged byte of a pack is found, or does not matter', () => {
    fill('damaged')
    sandbox.git('damaged', 'repack', '-adq')
    const all = everyObject('damaged')
    const [path = ''] = packs('damaged', 'pack')
    const whole = readFileSync(path)
    chmodSync(path, 0o600)
    let found = 0
    for (let at = 12; at < whole.length - 20; at += Math.ceil(whole.length / 60)) {
      const broken = Buffer.from(whole)
      broken[at] = (broken[at] ?? 0) ^ 0x55
      writeFileSync(path, broken)
      const store = openObjectStore([sandbox.path('damaged', '.git/objects')])
      for (const { oid, type } of all) {
        try {
          // What is read is right or refused; nothing else is thrown.
          expect(hashOf(type, store.read(oid).content)).toBe(oid)
        } catch (error) {
          if (!(error instanceof DamagedStore)) throw error
          found++
        }
      }
      store.close()
    }
    expect(found).toBeGreaterThan(50)
  })

  it('is told apart: a loose file of other content', () => {
    makeRepository(sandbox, 'swapped')
    sandbox.commit('swapped', { a: 'one', b: 'two' })
    const [a = '', b = ''] = ['HEAD:a', 'HEAD:b'].map((name) => sandbox.git('swapped', 'rev-parse', name))
    const file = (oid: string): string => sandbox.path('swapped/.git/objects', oid.slice(0, 2), oid.slice(2))
    chmodSync(file(a), 0o600)
    writeFileSync(file(a), readFileSync(file(b)))
    const store = openObjectStore([sandbox.path('swapped/.git/objects')])
    expect(() => store.read(a)).toThrow(/does not have the content of its id/)
  })
})

describe('the beginning of an id', () => {
  it('finds the whole one, in packs and loose files', () => {
    fill('short')
    sandbox.git('short', 'repack', '-dq')
    const loose = sandbox.commit('short', { x: 'x' })
    const store = openObjectStore([sandbox.path('short', '.git/objects')])
    for (const oid of [loose, ...everyObject('short').map((object) => object.oid)]) {
      expect(store.expand(oid.slice(0, 12))).toEqual([oid])
    }
    const letters = new Set(everyObject('short').map(({ oid }) => oid.slice(0, 1)))
    expect(letters.size).toBeGreaterThan(10)
    expect(store.expand('f'.repeat(20))).toEqual([])
  })
})

function packs(where: string, ending: 'pack' | 'idx'): string[] {
  const folder = sandbox.path(where, '.git/objects/pack')
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.${ending}`))
    .map((name) => `${folder}/${name}`)
}
