// What is taken out of texts, and what a secret looks like however it is printed.

import { inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { createRedactor } from '../../../src/desired/redaction.ts'
import { SecretValue } from '../../../src/desired/secret-value.ts'

function cleaned(secret: string, text: string): string {
  const redactor = createRedactor()
  redactor.learn([new SecretValue(Buffer.from(secret))])
  return redactor.clean(text)
}

describe('a secret value', () => {
  const value = new SecretValue(Buffer.from('correct horse'))

  it.each([
    ['a template', `${value}`],
    ['String', String(value)],
    ['JSON', JSON.stringify({ value, list: [value], map: [...new Map([['a', value]])] })],
    ['inspect', inspect({ value, map: new Map([['a', value]]) }, { depth: 9, showHidden: true })],
    ['an error', inspect(new Error(`no ${value}`))],
    ['its own keys', JSON.stringify([Object.keys(value), Object.getOwnPropertyNames(value)])],
  ])('says nothing in %s', (_how, text) => {
    expect(text).not.toContain('horse')
  })

  it('gives its bytes to whoever asks for them', () => {
    expect(Buffer.from(value.reveal()).toString()).toBe('correct horse')
  })
})

describe('a text', () => {
  const SECRET = 'pa$$ w"örd/+?&'

  it.each([
    ['plain', SECRET],
    ['in Base64', Buffer.from(SECRET).toString('base64')],
    ['in Base64 for a URL', Buffer.from(SECRET).toString('base64url')],
    ['encoded for a URL', encodeURIComponent(SECRET)],
    ['encoded for a form', encodeURIComponent(SECRET).replaceAll('%20', '+')],
    ['in JSON', JSON.stringify(SECRET)],
    ['in hexadecimal digits', Buffer.from(SECRET).toString('hex')],
  ])('loses a secret that stands there %s', (_how, form) => {
    const text = cleaned(SECRET, `before ${form} after ${form}`)
    expect(text).toMatch(/^before .?\(secret\)[="]* after .?\(secret\)[="]*$/)
  })

  it('loses the value of a file that ends with a line break', () => {
    expect(cleaned('correct horse\n', 'it is correct horse, you see')).toBe('it is (secret), you see')
  })

  it('loses each line of a longer one', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG\nabcdefghijklmnopqrst\n-----END PRIVATE KEY-----\n'
    expect(cleaned(pem, 'x MIIBVgIBADANBgkqhkiG y')).toBe('x (secret) y')
    expect(cleaned(pem, '-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----')
  })

  it('loses the longer of two that hold one another, whole', () => {
    const redactor = createRedactor()
    redactor.learn(['password', 'password-and-more'].map((text) => new SecretValue(Buffer.from(text))))
    expect(redactor.clean('password-and-more password')).toBe('(secret) (secret)')
  })

  it('of 500 KiB, and a thousand of them, are taken out in a moment, and no fault shows one', () => {
    const large = `${'0123456789abcdef'.repeat(32_000)}-large`
    const redactor = createRedactor()
    redactor.learn([new SecretValue(Buffer.from(large))])
    redactor.learn(Array.from({ length: 1_000 }, (_, i) => new SecretValue(Buffer.from(`${i} secret `.repeat(300)))))
    const began = performance.now()
    expect(redactor.clean(`a ${large} b`)).toBe('a (secret) b')
    for (let line = 0; line < 100; line++) expect(redactor.clean(`line ${line}`)).toBe(`line ${line}`)
    expect(performance.now() - began).toBeLessThan(3_000)
  })

  it('keeps words as short as a secret of seven characters', () => {
    expect(cleaned('abcdefg', 'abcdefg')).toBe('abcdefg')
  })

  it('loses bytes that are no text in Base64', () => {
    const bytes = Buffer.from([255, 254, 0, 1, 2, 3, 4, 5, 6, 7])
    const redactor = createRedactor()
    redactor.learn([new SecretValue(bytes)])
    expect(redactor.clean(`x ${bytes.toString('base64')}`)).toMatch(/^x \(secret\)=*$/)
  })

  it('that is still in use stays known, however many others come', () => {
    const redactor = createRedactor()
    const used = new SecretValue(Buffer.from('the-one-in-use'))
    for (let round = 0; round < 3; round++) {
      redactor.learn([used])
      redactor.learn(Array.from({ length: 1_900 }, (_, i) => new SecretValue(Buffer.from(`dummy-${round}-${i}`))))
    }
    expect(redactor.clean('a the-one-in-use b')).toBe('a (secret) b')
  })

  it('of before stays out, when others are learned', () => {
    const redactor = createRedactor()
    redactor.learn([new SecretValue(Buffer.from('first-password'))])
    redactor.learn([new SecretValue(Buffer.from('second-password'))])
    expect(redactor.clean('first-password second-password')).toBe('(secret) (secret)')
  })
})
