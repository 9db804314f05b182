// The nearest known word is suggested, and nothing where no word is near.

import { describe, expect, it } from 'vitest'
import { nearest } from '../../../src/desired/nearest.ts'

describe('nearest', () => {
  it.each([
    ['imag', 'image'],
    ['iamge', 'image'],
    ['Image', 'image'],
    ['enviroment', 'environment'],
    ['prots', 'ports'],
    ['x', null],
    ['banana', null],
    ['', null],
  ])('%s → %s', (word, expected) => {
    expect(nearest(word, ['image', 'environment', 'ports', 'expose'])).toBe(expected)
  })

  it('takes the first of equals, and a swap of neighbours for one slip', () => {
    expect(nearest('ab', ['ac', 'ad'])).toBe('ac')
    expect(nearest('abcd', ['abXX', 'bacd'])).toBe('bacd')
  })

  it('is quick with very long words', () => {
    expect(nearest('x'.repeat(1_000_000), ['image'])).toBeNull()
  })
})
