// The file of SSH keys that are trusted, line by line.

import { generateKeyPairSync } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { matchesPatterns, readAllowedSigners } from '../../../src/repository/allowed-signers.ts'
import { wireString } from '../../../src/repository/ssh-wire.ts'

const KEY = (() => {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const blob = Buffer.concat(['ssh-ed25519', Buffer.from(x, 'base64url')].map(wireString))
  return `ssh-ed25519 ${blob.toString('base64')}`
})()

const only = (line: string) => {
  const { signers, problems } = readAllowedSigners(line)
  return signers[0] ?? problems[0]?.message
}

describe('a line', () => {
  it('names principals and a key, with a comment or without one', () => {
    for (const line of [`ann@example.org ${KEY}`, `  ann@example.org\t${KEY} ann's laptop\r`]) {
      expect(only(line)).toMatchObject({
        principals: 'ann@example.org',
        namespaces: null,
        key: { type: 'ssh-ed25519' },
      })
    }
  })

  it('may have options, in any case, and quoted principals', () => {
    const line = `"ann@a.org,*@b.org" namespaces="git,file",Valid-After="20240102Z",valid-before="202501020304Z" ${KEY}`
    expect(only(line)).toMatchObject({
      principals: 'ann@a.org,*@b.org',
      namespaces: 'git,file',
      validAfter: Date.UTC(2024, 0, 2),
      validBefore: Date.UTC(2025, 0, 2, 3, 4),
    })
  })

  it('without a Z has times of this host', () => {
    const line = `a valid-after="20240102030405" ${KEY}`
    expect(only(line)).toMatchObject({ validAfter: new Date(2024, 0, 2, 3, 4, 5).getTime() })
  })

  it.each([
    ['ann@example.org', 'does not begin'],
    [`ann@example.org nonsense ${KEY.slice(12)}`, 'no key'],
    [`ann@example.org ${KEY.slice(0, -4)}`, 'does not read'],
    [`ann@example.org ssh-rsa ${KEY.slice(12)}`, 'cut off or changed'],
    [`ann@example.org ${KEY.replace('A', '!')}`, 'cut off or changed'],
    [`ann@example.org cert-authority ${KEY}`, 'certificates'],
    [`ann@example.org valid-before="tomorrow" ${KEY}`, 'YYYYMMDD'],
    [`ann@example.org valid-before="20241301" ${KEY}`, 'YYYYMMDD'],
    [`ann@example.org valid-before="20260231" ${KEY}`, 'YYYYMMDD'],
    [`ann@example.org valid-after="2025",valid-before="2024" ${KEY}`, 'YYYYMMDD'],
    [`ann@example.org valid-after="20250101",valid-before="20240101" ${KEY}`, 'ends before it begins'],
    [`ann@example.org no-pty ${KEY}`, 'no-pty is no option'],
    [`ann@example.org namespaces="git",namespaces="x" ${KEY}`, 'twice'],
    [`"ann@example.org ${KEY}`, 'does not begin'],
    ['ann@example.org ssh-dss AAAAB3NzaC1kc3MAAAAA', 'ssh-dss'],
  ])('%s admits nobody', (line, why) => {
    expect(only(line)).toContain(why)
  })

  it('that admits nobody leaves the others alone, and is told with its number', () => {
    const { signers, problems } = readAllowedSigners(`# people\n\nbroken\nann@example.org ${KEY}\n`)
    expect(signers).toHaveLength(1)
    expect(problems).toMatchObject([{ line: 3, fatal: false }])
  })
})

describe('patterns', () => {
  it.each([
    ['ann@example.org', 'ann@example.org', true],
    ['ann@example.org', 'ben@example.org,*@example.org', true],
    ['ann@example.org', '*@example.org,!ann@*', false],
    ['ann@example.org', '!ben@*', false],
    ['git', 'g?t', true],
    ['git', '*', true],
    ['', '*', true],
    ['git', 'gi', false],
    ['git', 'file', false],
    ['aab', '*a*b', true],
    ['git', 'git*', true],
  ])('%s against %s', (text, patterns, matches) => {
    expect(matchesPatterns(text, patterns)).toBe(matches)
  })

  it('cannot be made to take long', () => {
    const begun = performance.now()
    expect(matchesPatterns('a'.repeat(5_000), `${'a*'.repeat(30)}b`)).toBe(false)
    expect(performance.now() - begun).toBeLessThan(1_000)
  })
})
