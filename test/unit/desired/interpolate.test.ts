// Variables in texts, against the Compose Specification's table.

import { describe, expect, it } from 'vitest'

import { interpolate } from '../../../src/desired/interpolate.ts'
import type { Variable } from '../../../src/desired/interpolate.ts'
import { hostScope, innerScope } from '../../../src/desired/scope.ts'
import { containsSymbol } from '../../../src/desired/symbolic.ts'

const known: Record<string, Variable> = {
  SET: { text: 'value', symbolic: 'value', fromHost: false },
  EMPTY: { text: '', symbolic: '', fromHost: false },
  HOST: { text: '10.0.0.1', symbolic: null, fromHost: true },
}
const lookup = (name: string): Variable | null => known[name] ?? null

describe('interpolate', () => {
  it.each([
    ['plain', 'plain'],
    ['$SET', 'value'],
    ['${SET}', 'value'],
    ['a${SET}b$SET.c', 'avaluebvalue.c'],
    ['$$SET', '$SET'],
    ['$$$SET', '$value'],
    ['${SET:-d}', 'value'],
    ['${SET-d}', 'value'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${UNSET:-d}', 'd'],
    ['${UNSET-d}', 'd'],
    ['${UNSET:-}', ''],
    ['${SET:+other}', 'other'],
    ['${EMPTY:+other}', ''],
    ['${EMPTY+other}', 'other'],
    ['${UNSET+other}', ''],
    ['${SET:?message}', 'value'],
    ['${EMPTY?message}', ''],
    ['${UNSET:-${SET}}', 'value'],
    ['${UNSET:-a${EMPTY:-b}c}', 'abc'],
    ['${UNSET:-$$x}', '$x'],
    ['${UNSET:-{}', '{'],
    ['${SET:-${NOBODY}}', 'value'],
  ])('%s → %s', (template, expected) => {
    expect(interpolate(template, lookup)).toMatchObject({ text: expected, faults: [] })
  })

  it.each([
    ['x $UNSET', { kind: 'unset', name: 'UNSET', at: 2 }],
    ['${UNSET:?say ${SET}}', { kind: 'required', name: 'UNSET', message: 'say value', at: 0 }],
    ['${EMPTY:?}', { kind: 'required', name: 'EMPTY', message: '', at: 0 }],
    ['costs $5', { kind: 'invalid', text: '$5', at: 6 }],
    ['${', { kind: 'invalid', text: '${', at: 0 }],
    ['${SET', { kind: 'invalid', text: '${SET', at: 0 }],
    ['${SET:x}', { kind: 'invalid', text: '${SET:x}', at: 0 }],
    ['end $', { kind: 'invalid', text: '$', at: 4 }],
    ['${SET:-${A}', { kind: 'invalid', text: '${SET:-${A}', at: 0 }],
  ])('%s is a fault', (template, fault) => {
    expect(interpolate(template, lookup).faults).toEqual([fault])
  })

  it('keeps host variables as symbols that hold the operand', () => {
    const plain = interpolate('http://${HOST}:80', lookup)
    expect(plain).toMatchObject({ text: 'http://10.0.0.1:80', fromHost: true })
    expect(plain.symbolic).not.toContain('10.0.0.1')
    expect(containsSymbol(plain.symbolic)).toBe(true)
    const one = interpolate('${HOST:-a}', lookup).symbolic
    const other = interpolate('${HOST:-b}', lookup).symbolic
    expect(one).not.toBe(other)
    expect(interpolate('${HOST:-a}', lookup).text).toBe('10.0.0.1')
  })

  it('stops a text that grows beyond its limit', () => {
    expect(interpolate('$SET'.repeat(100), lookup, 50).faults).toMatchObject([{ kind: 'too-long' }])
  })

  it('gives up on operands that nest without end', () => {
    const deep = `${'${A:-'.repeat(5000)}x${'}'.repeat(5000)}`
    expect(interpolate(deep, lookup).faults).toMatchObject([{ kind: 'invalid' }])
  })
})

describe('scopes', () => {
  const root = hostScope(new Map([['HOST', 'h1']]), 'p-')
  const text = (templates: Record<string, string>, name: string): string | undefined =>
    innerScope(root, new Map(Object.entries(templates))).scope.lookup(name)?.text

  it('let values use each other, the prefix and host variables', () => {
    expect(text({ a: '${b}!', b: '${prefix}${HOST}' }, 'a')).toBe('p-h1!')
  })

  it('make a value with a host variable in it a host value that still tells its text', () => {
    const make = (url: string) => innerScope(root, new Map([['url', url]])).scope
    const one = interpolate('${url:-x}', make('http://${HOST}/a').lookup)
    const other = interpolate('${url:-x}', make('http://${HOST}/b').lookup)
    expect(one.fromHost).toBe(true)
    expect(one.symbolic).not.toBe(other.symbolic)
  })

  it('let a value extend the outer one of its name', () => {
    const outer = innerScope(root, new Map([['list', 'a']])).scope
    expect(innerScope(outer, new Map([['list', '${list},b']])).scope.lookup('list')?.text).toBe('a,b')
  })

  it('tell of a circle', () => {
    const { faults } = innerScope(
      root,
      new Map([
        ['a', '${b}'],
        ['b', '${a}'],
      ]),
    )
    expect(faults).toMatchObject([{ fault: { kind: 'cycle', through: ['a', 'b', 'a'] } }])
  })

  it('stop values that multiply each other', () => {
    const templates = new Map([['v0', 'x'.repeat(1000)]])
    for (let index = 1; index < 30; index++) templates.set(`v${index}`, `\${v${index - 1}}`.repeat(10))
    expect(innerScope(root, templates).faults[0]).toMatchObject({ fault: { kind: 'too-long' } })
  })

  it('stop a thousand values that each repeat a long one', () => {
    const templates = new Map([['long', 'x'.repeat(60_000)]])
    for (let index = 0; index < 1000; index++) templates.set(`v${index}`, '${long}')
    expect(innerScope(root, templates).faults.length).toBeGreaterThan(900)
  })
})
