// Environment files, as Compose and as Docker read them.

import { describe, expect, it } from 'vitest'

import { parseEnvironmentFile } from '../../../src/desired/dotenv.ts'
import { hostScope } from '../../../src/desired/scope.ts'

const outer = hostScope(new Map([['HOST', 'h']]), '').lookup
const read = (text: string, format: 'compose' | 'raw' = 'compose') => parseEnvironmentFile(text, format, outer)

describe('parseEnvironmentFile', () => {
  it.each([
    ['A=b', { A: 'b' }],
    ['A=', { A: '' }],
    ['  A = b  ', { A: 'b' }],
    ['export A=b', { A: 'b' }],
    ['A=b # c', { A: 'b' }],
    ['A=b#c', { A: 'b#c' }],
    ['# c\n\nA=b\r\nB=c\r\n', { A: 'b', B: 'c' }],
    ["A='$x # \"y'", { A: '$x # "y' }],
    ['A="x # y" # z', { A: 'x # y' }],
    ['A="a\\nb\\t\\"c\\" \\$d"', { A: 'a\nb\t"c" $d' }],
    ["A='one\ntwo'\nB=c", { A: 'one\ntwo', B: 'c' }],
    ['A=1\nB=${A}2\nC="${B}3"', { A: '1', B: '12', C: '123' }],
    ['A=${X:-d}', { A: 'd' }],
    ['A=a=b', { A: 'a=b' }],
  ])('%j', (text, expected) => {
    const { real, faults } = read(text)
    expect(faults).toEqual([])
    expect(Object.fromEntries(real)).toEqual(expected)
  })

  it('takes raw lines as they are', () => {
    const { real } = read('# c\nA="b" # c\nB=$HOST ', 'raw')
    expect(Object.fromEntries(real)).toEqual({ A: '"b" # c', B: '$HOST ' })
  })

  it('keeps host values symbolic through earlier lines', () => {
    const { real, symbolic, fromHost } = read('A=${HOST}\nB=x${A}\nC=plain')
    expect([real.get('B'), fromHost]).toEqual(['xh', true])
    expect(symbolic.get('B')).not.toContain('h')
    expect(symbolic.get('C')).toBe('plain')
    expect(read('C=plain').fromHost).toBe(false)
  })

  it.each([
    ['A=1\nwhat', 2],
    ['A=1\n2B=x', 2],
    ['A="open\nB=2', 1],
    ['A="x" y', 1],
    ['\nA=${NO}', 2],
    ['PATH', 1],
  ])('%j is a fault in its line', (text, line) => {
    expect(read(text).faults.map((fault) => fault.line)).toEqual([line])
  })

  it('stops values that repeat each other without end', () => {
    const lines = [`A=${'x'.repeat(60_000)}`, ...Array.from({ length: 5000 }, (_, index) => `B${index}=\${A}`)]
    const { real, faults } = read(lines.join('\n'))
    expect(faults[0]?.fault.kind).toBe('too-long')
    expect([...real.values()].reduce((sum, value) => sum + value.length, 0)).toBeLessThan(2 * 1024 * 1024)
  })
})
