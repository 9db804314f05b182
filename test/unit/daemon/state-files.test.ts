// Small files of the state folder, as a power cut may leave them.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createBinding } from '../../../src/daemon/binding.ts'
import { createLastTip } from '../../../src/daemon/last-tip.ts'
import { RepositoryFault } from '../../../src/repository/repository.ts'
import { leaf, treeOf } from '../plan/build.ts'

const COMMIT = 'c'.repeat(40)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-state-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the tip that was seen last', () => {
  it('is known again, under its own ref', async () => {
    const file = join(folder, 'deep', 'tip.json')
    await createLastTip(file, 'main').keep(COMMIT)
    expect(await createLastTip(file, 'main').read()).toBe(COMMIT)
    expect(await createLastTip(file, 'other').read()).toBeNull()
  })

  it.each(['', '{', '{"ref":"main","commit":"no id"}'])('is none where its file holds %j', async (text) => {
    const file = join(folder, 'tip.json')
    await writeFile(file, text)
    const tip = createLastTip(file, 'main')
    expect(await tip.read()).toBeNull()
    await tip.keep(COMMIT)
    expect(await tip.read()).toBe(COMMIT)
  })
})

describe('the name that a deployment is bound to', () => {
  const tree = treeOf({ web: leaf(1) })

  it('is kept once, and known again', async () => {
    const file = join(folder, 'bound.json')
    await createBinding(file).keep(tree)
    const text = await readFile(file, 'utf8')
    const again = createBinding(file)
    expect(await again.problem(tree)).toBeNull()
    expect(await again.problem({ ...tree, prefix: 'other-' })).toMatchObject({ text: 'prefix: other-' })
    await again.keep({ ...tree, prefix: 'other-' })
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it.each(['', '{"name":', '[]'])('says which file to look at where it holds %j', async (text) => {
    const file = join(folder, 'bound.json')
    await writeFile(file, text)
    const failure = await createBinding(file)
      .problem(tree)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RepositoryFault)
    expect(failure).toMatchObject({ kind: 'damaged', message: `${file} does not read` })
  })
})
