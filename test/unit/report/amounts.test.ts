import { describe, expect, it } from 'vitest'

import { bytes } from '../../../src/report/bytes.ts'
import { align, cut, padEnd, width } from '../../../src/report/columns.ts'
import { age, duration } from '../../../src/report/durations.ts'
import { shortImage } from '../../../src/report/image-words.ts'

describe('amounts', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [1_240, '1.2 s'],
    [9_949, '9.9 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [-5, '0 ms'],
  ])('duration of %i ms is %s', (span, text) => {
    expect(duration(span)).toBe(text)
  })

  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [47 * 3_600_000, '47 h'],
    [72 * 3_600_000, '3 d'],
  ])('age of %i ms is %s', (span, text) => {
    expect(age(span)).toBe(text)
  })

  it.each([
    [512, '512 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [3_249_000, '3.2 MB'],
    [118_200_000, '118 MB'],
    [999_600, '1.0 MB'],
  ])('%i bytes are %s', (amount, text) => {
    expect(bytes(amount)).toBe(text)
  })

  it.each([
    ['nginx', 'nginx'],
    ['quay.io/openstack.kolla/nova-api:2025.1', 'nova-api:2025.1'],
    ['localhost:5000/a/b:1', 'b:1'],
    [`quay.io/a/b@sha256:${'a'.repeat(64)}`, 'b@sha256:aaaaaaaaaaaa'],
  ])('image %s is short as %s', (reference, text) => {
    expect(shortImage(reference)).toBe(text)
  })
})

describe('columns', () => {
  const red = (text: string) => `\u001B[31m${text}\u001B[39m`

  it('do not count colours, and count wide characters twice', () => {
    expect(width(red('abc'))).toBe(3)
    expect(width('数据')).toBe(4)
    expect(width(padEnd(red('ab'), 5))).toBe(5)
  })

  it.each([1, 2, 3, 5, 8])('a cut text takes at most %i columns and ends its colours', (columns) => {
    const text = cut(red('数据 library of things'), columns)
    expect(width(text)).toBeLessThanOrEqual(columns)
    if (columns > 1) expect(text.endsWith('\u001B[0m')).toBe(true)
  })

  it('are as wide as their widest cell, without spaces at the end', () => {
    expect(
      align([
        ['a', 'bb', ''],
        ['ccc', 'd', 'e'],
      ]),
    ).toEqual(['a    bb', 'ccc  d   e'])
  })
})
