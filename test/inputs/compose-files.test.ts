// Compose files as they are found in the world, each service made into a leaf: what is served reads, what is not is
// refused in words that name it, and without it the rest reads.

import { readdirSync, readFileSync } from 'node:fs'

import { expect } from 'vitest'

import type { Problem } from '../../src/desired/problem.ts'
import { composeToLeaves, type Converted } from './compose-to-leaves.ts'
import { inputTable } from './input-table.ts'
import { judgeSafely, readSafely, snapshotOf } from './read-files.ts'

const FOLDER = new URL('./compose/', import.meta.url)
const { row } = inputTable('Compose files', { share: 0.3 })

for (const file of readdirSync(FOLDER).toSorted()) {
  const text = readFileSync(new URL(file, FOLDER), 'utf8')
  row(file.replace('.yaml', ''), () => {
    // Keys to leave out; NAME!image: an image to put there, as for a service that is built.
    const without = new Set<string>()
    let converted = composeToLeaves(text, without)
    const first = readSafely(snapshotOf(converted.files))
    let answer = first
    for (let round = 0; answer.tree === null && round < 30; round++) {
      const before = without.size
      for (const problem of answer.problems) {
        if (problem.severity === 'unreadable') without.add(culprit(problem, converted))
      }
      expect(
        without.size,
        answer.problems.map(({ file: where, message }) => `${where}: ${message}`).join('\n'),
      ).toBeGreaterThan(before)
      converted = composeToLeaves(text, without)
      answer = readSafely(snapshotOf(converted.files))
    }
    expect(answer.tree).not.toBeNull()
    expect(answer.tree?.leaves.size).toBe(converted.leaves.size)
    const held = judgeSafely(answer)
    const said = without.size === 0 ? 'reads as it is' : `refused by name: ${[...without].join(', ')}`
    return `${converted.leaves.size} leaves, ${said}; ${held} held by the usual policy`
  })
}

/** The key that the problem's place is in: whoever takes it out has done what was asked. */
function culprit({ file, line, message }: Problem, { files, leaves }: Converted): string {
  // What is not served is to be replaced by something else, which is asked for by name.
  if (line === null && message === 'image is missing') return `${file?.replace('.yaml', '')}!image`
  const lines = (files[file ?? ''] ?? '').split('\n').slice(0, line ?? 0)
  const key = lines.findLast((one) => /^[\w.-]+:/.test(one))?.split(':')[0]
  expect(key, `${file}:${line}: ${message} leads to no key`).toBeDefined()
  const leaf = [...leaves].find(([, path]) => path === file)?.[0]
  return leaf === undefined ? (key ?? '') : `${leaf}.${key}`
}
