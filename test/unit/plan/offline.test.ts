// What a commit changes against an earlier one, from the files of both.

import { describe, expect, it } from 'vitest'

import { createReader } from '../../../src/desired/read.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { changesOffline, planOffline } from '../../../src/plan/offline.ts'

function treeOf(files: Readonly<Record<string, string>>): Tree {
  const whole = {
    'deployment.yaml': 'format: 1\nname: shop\nvolumes: {data: {}}\n',
    'web/set.yaml': '',
    'db/set.yaml': '',
    ...files,
  }
  const entries = Object.entries(whole).map(([path, text]) => {
    const content = Buffer.from(text)
    return [path, { path, kind: 'file', oid: path + text, executable: false, size: content.length, content }] as const
  })
  const { tree, problems } = createReader().read({ commit: null, entries: new Map(entries) }, { host: null })
  if (tree === null) throw new Error(problems.map(({ message }) => message).join('\n'))
  return tree
}

const API = 'image: nginx:1\nenvironment: {MODE: a, DB_PASSWORD: one}\n'

function compare(before: Record<string, string> | null, after: Record<string, string>, removalLimit = 3) {
  const plan = planOffline({
    before: before === null ? null : treeOf(before),
    after: treeOf(after),
    refused: new Map(),
    removalLimit,
  })
  return {
    plan,
    kinds: Object.fromEntries(plan.verdicts.map(({ leaf, kind }) => [leaf, kind])),
    verdict: plan.verdicts[0],
  }
}

describe('without an engine', () => {
  it('an equal tree asks for nothing', () => {
    const files = { 'web/api.yaml': `generation: 1\n${API}` }
    const { plan, kinds } = compare(files, files)
    expect(kinds).toEqual({ api: 'keep' })
    expect(changesOffline(plan)).toBe(false)
  })

  it('shows the fields that differ, never a secret, and what is gained', () => {
    const { verdict, plan } = compare(
      { 'web/api.yaml': `generation: 1\n${API}` },
      { 'web/api.yaml': 'generation: 2\nimage: nginx:2\nenvironment: {DB_PASSWORD: two}\nprivileged: true\n' },
    )
    expect(verdict).toMatchObject({ kind: 'replace', fromGeneration: 1, toGeneration: 2, gains: ['privileged'] })
    expect(verdict?.changes).toEqual(
      expect.arrayContaining([
        { field: 'image', from: 'nginx:1', to: 'nginx:2' },
        { field: 'environment.MODE', from: 'a', to: null },
        { field: 'privileged', from: null, to: 'true' },
      ]),
    )
    expect(JSON.stringify(plan)).not.toMatch(/"one"|"two"/)
    expect(changesOffline(plan)).toBe(true)
  })

  it('a generation alone replaces; an update policy alone does not', () => {
    const before = { 'web/api.yaml': `generation: 1\n${API}` }
    expect(compare(before, { 'web/api.yaml': `generation: 2\n${API}` }).kinds).toEqual({ api: 'replace' })
    expect(compare(before, { 'web/api.yaml': `generation: 1\n${API}update: {drain: 3s}\n` }).kinds).toEqual({
      api: 'keep',
    })
  })

  it('what the old one holds makes it stop first, too', () => {
    const { verdict } = compare(
      { 'web/api.yaml': `generation: 1\n${API}volumes: ["data:/d"]\n` },
      { 'web/api.yaml': `generation: 2\n${API}` },
    )
    expect(verdict?.order?.kind).toBe('stop-first')
    expect(verdict?.order?.because).toContain('until now')
  })

  it('knows new, moved, renamed and removed leaves', () => {
    const leaf = `generation: 1\n${API}`
    const { kinds, plan } = compare(
      { 'web/api.yaml': leaf, 'web/old.yaml': leaf, 'web/gone.yaml': leaf, 'web/stays.yaml': `${leaf}prune: false\n` },
      { 'db/api.yaml': leaf, 'web/new.yaml': `${leaf}renamed_from: old\n`, 'web/fresh.yaml': leaf },
    )
    expect(kinds).toEqual({ api: 'move', new: 'restore', fresh: 'create', gone: 'remove', stays: 'keep' })
    expect(plan.verdicts.filter(({ set }) => set === null).map((verdict) => verdict.leaf)).toEqual(['gone', 'stays'])
  })

  it('a job runs for a new generation and never for an older one', () => {
    const job = (generation: number) => ({ 'web/sync.yaml': `kind: job\ngeneration: ${generation}\nimage: nginx:1\n` })
    expect(compare(job(1), job(2)).kinds).toEqual({ sync: 'run' })
    expect(compare(job(2), job(1)).kinds).toEqual({ sync: 'keep' })
    expect(compare(null, job(1)).kinds).toEqual({ sync: 'run' })
  })

  it('removes nothing above the limit', () => {
    const leaf = `generation: 1\n${API}`
    const { plan, kinds } = compare({ 'web/a1.yaml': leaf, 'web/a2.yaml': leaf }, {}, 1)
    expect(plan.removalHeld).toMatchObject({ count: 2, limit: 1, names: ['a1', 'a2'] })
    expect(kinds).toEqual({ a1: 'hold', a2: 'hold' })
  })
})
