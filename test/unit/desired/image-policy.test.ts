// Which tag follows which: kinds of tags, ranges, patterns, versions before a release.

import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { chooseTag, type ImagePolicy } from '../../../src/desired/image-policy.ts'
import { compareVersions, tagVersion } from '../../../src/desired/tag-version.ts'

const any: ImagePolicy = { semver: null, pattern: null, order: 'semver', prerelease: false }
const range = (semver: string, more: Partial<ImagePolicy> = {}): ImagePolicy => ({ ...any, semver, ...more })
const pattern = (text: string, more: Partial<ImagePolicy> = {}): ImagePolicy => ({ ...any, pattern: text, ...more })

describe('a tag', () => {
  test.each([
    ['1.25', { lead: '', numbers: [1, 25], prerelease: [], variant: '' }],
    ['v3.2.19', { lead: 'v', numbers: [3, 2, 19], prerelease: [], variant: '' }],
    ['2025.1-ubuntu-noble', { lead: '', numbers: [2025, 1], prerelease: [], variant: '-ubuntu-noble' }],
    ['1.4.0-rc.2-alpine', { lead: '', numbers: [1, 4, 0], prerelease: ['rc', 2], variant: '-alpine' }],
    ['3.13.0rc1', { lead: '', numbers: [3, 13, 0], prerelease: ['rc', 1], variant: '' }],
    ['6.0.0-M1', { lead: '', numbers: [6, 0, 0], prerelease: ['m', 1], variant: '' }],
    ['1.27-perl', { lead: '', numbers: [1, 27], prerelease: [], variant: '-perl' }],
    ['1.2-alpine3.19', { lead: '', numbers: [1, 2], prerelease: [], variant: '-alpine3.19' }],
    ['17-bookworm', { lead: '', numbers: [17], prerelease: [], variant: '-bookworm' }],
    ['latest', null],
  ])('%s is taken apart', (tag, parts) => {
    expect(tagVersion(tag)).toEqual(parts)
  })

  it('is ordered by its numbers, and what comes before a release by its own', () => {
    const sorted = [
      '1.9',
      '1.10.0-alpha',
      '1.10.0-alpha.2',
      '1.10.0-beta',
      '1.10.0-rc.2',
      '1.10.0-rc.10',
      '1.10.0',
      '1.10.0.1',
      '2',
    ]
    const versions = sorted.map((tag) => tagVersion(tag)).filter((version) => version !== null)
    expect(versions).toHaveLength(sorted.length)
    for (const [index, version] of versions.entries()) {
      for (const [other, later] of versions.entries()) {
        expect(Math.sign(compareVersions(version, later))).toBe(Math.sign(index - other))
      }
    }
  })
})

describe('without a policy', () => {
  it('only tags of the same kind are newer, and none is allowed', () => {
    const tags = ['1.25', '1.26', '1.27.1', '1.27', '1.28-alpine', 'v1.29', '1.30-rc1', 'latest', '20240101']
    expect(chooseTag(null, '1.25', tags)).toEqual({ newer: null, newest: '1.27', remark: null })
    expect(chooseTag(null, '1.27', tags)).toEqual({ newer: null, newest: null, remark: null })
  })

  it('a release is not followed by what comes before one, which its own kind may be', () => {
    expect(chooseTag(null, '2.0.0', ['2.0.0', '2.1.0-rc.1']).newest).toBeNull()
    expect(chooseTag(null, '2.0.0-rc.1', ['2.0.0-rc.1', '2.0.0-rc.2']).newest).toBe('2.0.0-rc.2')
    expect(chooseTag(null, '2.0.0-rc.1', ['2.0.0-rc.1', '2.0.0-rc.2', '2.0.0']).newest).toBe('2.0.0')
  })

  it('a tag without numbers says that it cannot be compared', () => {
    expect(chooseTag(null, 'latest', ['latest', '1.0'])).toEqual({
      newer: null,
      newest: null,
      remark: 'latest is no version, and no image_policy says which tags follow it',
    })
  })
})

describe('a range', () => {
  const tags = ['3.1.0', '3.2.0', '3.2.18', '3.2.19', '3.3.0-rc.1', '3.10.1', '4.0.0', '4.1.0', '3.2.20-alpine']

  it('allows what lies in it; what is newer still is told', () => {
    expect(chooseTag(range('^3.2'), '3.2.18', tags)).toEqual({ newer: '3.10.1', newest: '4.1.0', remark: null })
    expect(chooseTag(range('~3.2'), '3.2.18', tags)).toEqual({ newer: '3.2.19', newest: '4.1.0', remark: null })
    expect(chooseTag(range('~3.2'), '3.2.19', tags)).toEqual({ newer: null, newest: '4.1.0', remark: null })
    expect(chooseTag(range('*'), '4.1.0', tags)).toEqual({ newer: null, newest: null, remark: null })
  })

  it('keeps what stands behind the numbers', () => {
    expect(chooseTag(range('^3'), '3.2.18-alpine', [...tags, '3.2.18-alpine']).newer).toBe('3.2.20-alpine')
  })

  it('never leads back, and says where the declared tag lies outside', () => {
    expect(chooseTag(range('^3.2'), '4.0.0', tags)).toEqual({
      newer: null,
      newest: '4.1.0',
      remark: '4.0.0 lies outside of its image_policy',
    })
  })

  it('leads from a tag without numbers to the newest that it allows, said as exactly as can be', () => {
    expect(chooseTag(range('^3'), 'latest', [...tags, '3', '3.10', 'latest']).newer).toBe('3.10.1')
    expect(chooseTag(range('~1.2'), 'stable', ['1.2', '1.2.0', 'stable']).newer).toBe('1.2.0')
  })

  it('takes versions before a release in where it is told to, or where it names one', () => {
    expect(chooseTag(range('^3.3.0-0', { prerelease: true }), '3.2.0', ['3.2.0', '3.3.0-rc.1']).newer).toBe(
      '3.3.0-rc.1',
    )
    expect(chooseTag(range('>=3.3.0-rc.0'), '3.2.0', ['3.2.0', '3.3.0-rc.1']).newer).toBe('3.3.0-rc.1')
    expect(chooseTag(range('^3'), '3.2.0', ['3.2.0', '3.3.0-rc.1']).newer).toBeNull()
  })

  it('compares more than three numbers, and years with leading zeros', () => {
    expect(chooseTag(range('^1.2'), '1.2.3.4', ['1.2.3.4', '1.2.3.10', '1.2.3.9']).newer).toBe('1.2.3.10')
    expect(chooseTag(range('>=24'), '24.04', ['24.04', '24.10', '25.04']).newer).toBe('25.04')
  })

  it('says where nothing fits, and where the declared tag is gone', () => {
    expect(chooseTag(range('^9'), '3.2.18', tags).remark).toBe('no tag fits its image_policy')
    expect(chooseTag(range('^3'), '3.2.17', tags)).toMatchObject({
      newer: '3.10.1',
      remark: 'the registry does not list 3.2.17',
    })
  })
})

describe('a pattern', () => {
  it('cuts out what is compared', () => {
    const tags = ['v1.2.0-alpine', 'v1.10.0-alpine', '1.3.0-alpine', 'v2.0.0', 'v1.11.0-rc1-alpine']
    const policy = pattern('^v?(?<version>.*)-alpine$')
    expect(chooseTag(policy, 'v1.2.0-alpine', tags).newer).toBe('v1.10.0-alpine')
    expect(chooseTag({ ...policy, prerelease: true }, 'v1.2.0-alpine', tags).newer).toBe('v1.11.0-rc1-alpine')
    expect(chooseTag({ ...policy, semver: '<1.5' }, 'v1.2.0-alpine', tags)).toMatchObject({
      newer: '1.3.0-alpine',
      newest: 'v1.10.0-alpine',
    })
  })

  it('orders by number or by text where it is told to', () => {
    const builds = ['main-9-aaa', 'main-10-bbb', 'main-100-ccc', 'pr-200-ddd']
    const byNumber = pattern('^main-(?<version>\\d+)-', { order: 'numerical' })
    expect(chooseTag(byNumber, 'main-9-aaa', builds).newer).toBe('main-100-ccc')
    const days = ['2026-01-02T10', '2026-01-10T09', 'nightly']
    expect(chooseTag(pattern('^\\d{4}-', { order: 'alphabetical' }), '2026-01-02T10', days).newer).toBe('2026-01-10T09')
  })

  it('says where the declared tag is none of those that count, and follows all the same', () => {
    expect(chooseTag(pattern('-alpine$'), '1.2', ['1.2', '1.3-alpine'])).toMatchObject({
      newer: null,
      remark: 'no tag fits its image_policy',
    })
    expect(chooseTag(pattern('^(?<version>.*)-alpine$'), '1.2', ['1.2', '1.3-alpine'])).toEqual({
      newer: '1.3-alpine',
      newest: null,
      remark: '1.2 itself does not fit its image_policy',
    })
  })
})

test('what follows is always listed, newer, and left alone by the next look', () => {
  const tag = fc
    .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom('', '-rc.1', '-alpine', '-rc.2'))
    .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`)
  const policies = fc.constantFrom(
    range('^1'),
    range('*'),
    range('>=1.1 <3'),
    range('*', { prerelease: true }),
    pattern('^[0-2]'),
  )
  fc.assert(
    fc.property(tag, fc.array(tag, { maxLength: 20 }), policies, (declared, others, policy) => {
      const tags = [...new Set([declared, ...others])]
      const { newer } = chooseTag(policy, declared, tags)
      if (newer === null) return
      expect(tags).toContain(newer)
      expect(newer).not.toBe(declared)
      expect(chooseTag(policy, newer, tags).newer).toBeNull()
      expect(chooseTag(policy, newer, tags.toReversed()).newer).toBeNull()
    }),
  )
})
