// The key image_policy in files: read, refused in words, inherited, and no part of the spec.

import { describe, expect, it, test } from 'vitest'
import { createReader } from '../../../src/desired/read.ts'
import { snapshotOf } from './snapshot-of.ts'

function readFiles(leaf: string, set = '') {
  const files = { 'deployment.yaml': 'name: shop\nformat: 1\n', 'web/set.yaml': set, 'web/api.yaml': leaf }
  return createReader().read(snapshotOf(files), { host: null })
}

const leafWith = (policy: string): string => `generation: 1\nimage: example/api:1.2\nimage_policy: ${policy}\n`

describe('image_policy', () => {
  it('is read as it stands: a $ in it is no variable', () => {
    const { tree, problems } = readFiles(
      leafWith(`{semver: ">=1 <3", pattern: '^v?(?<version>.*)-alpine$', prerelease: true}`),
    )
    expect(problems).toEqual([])
    expect(tree?.leaves.get('api')?.image_policy).toEqual({
      semver: '>=1 <3',
      pattern: '^v?(?<version>.*)-alpine$',
      order: 'semver',
      prerelease: true,
    })
  })

  it('comes from the defaults of a set, whole; a leaf may have its own, or none', () => {
    const set = `defaults:\n  image_policy: {semver: "^1", pattern: "-x$", prerelease: true}\n`
    const plain = 'generation: 1\nimage: example/api:1.2\n'
    const policyOf = (leaf: string) => readFiles(leaf, set).tree?.leaves.get('api')?.image_policy
    expect(policyOf(plain)).toEqual({ semver: '^1', pattern: '-x$', order: 'semver', prerelease: true })
    expect(policyOf(leafWith('{semver: "^2"}'))).toEqual({
      semver: '^2',
      pattern: null,
      order: 'semver',
      prerelease: false,
    })
    expect(policyOf(leafWith('null'))).toBeNull()
  })

  it('stands beside the image of an ingress too', () => {
    const text = `name: shop\ningress:\n  image: haproxy:3.2-alpine\n  generation: 1\n  image_policy: {pattern: '^3\\.2.*-alpine$'}\n`
    const { tree, problems } = createReader().read(snapshotOf({ 'deployment.yaml': text }), { host: null })
    expect(problems).toEqual([])
    expect(tree?.leaves.get('ingress')?.image_policy?.pattern).toBe('^3\\.2.*-alpine$')
  })

  it('is no part of the spec', () => {
    const digest = (leaf: string) => readFiles(leaf).tree?.leaves.get('api')?.ledgerDigest
    expect(digest(leafWith('{semver: "^1"}'))).toBe(digest('generation: 1\nimage: example/api:1.2\n'))
  })

  test.each([
    ['{prerelease: true}', 'it says neither semver nor pattern, so no tag could follow'],
    ['{semver: 3.2}', 'expected a range of versions, found the number 3.2'],
    ['{semver: "three"}', 'expected a range of versions, found text "three"'],
    ['{pattern: "("}', 'this is no regular expression'],
    ['{pattern: "^a", order: newest}', 'expected semver, numerical or alphabetical'],
    ['{semver: "^1", pattern: "^a", order: numerical}', 'a range of versions does not go with order: numerical'],
    ['{semver: "^1", range: x}', 'unknown key range'],
    ['"^1"', 'expected'],
  ])('%s is refused in words', (policy, words) => {
    const { tree, problems } = readFiles(leafWith(policy))
    expect(tree).toBeNull()
    const [problem] = problems
    expect(problem).toMatchObject({ file: 'web/api.yaml', line: 3 })
    expect(problem?.message).toContain(words)
    expect(problem?.remedy).not.toBe('')
  })
})
