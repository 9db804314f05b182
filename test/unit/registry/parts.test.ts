// Headers, lists and manifests as registries write them, and a limit of time.

import { describe, expect, it, test } from 'vitest'
import { readChallenges } from '../../../src/registry/challenge.ts'
import { imageFor, readLabels, readManifest } from '../../../src/registry/manifest.ts'
import { apiHost, schemesFor } from '../../../src/registry/registry-address.ts'
import { retryAfter } from '../../../src/registry/retry-after.ts'
import { nextPage, readTags } from '../../../src/registry/tag-pages.ts'
import { withinTime } from '../../../src/registry/within-time.ts'

test.each([
  [
    'Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"',
    [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:x:pull,push' }]],
  ],
  ['Basic realm="a \\"b\\""', [['basic', { realm: 'a "b"' }]]],
  [
    'Negotiate, Basic realm=x, Bearer realm="y"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y' }],
    ],
  ],
  ['', []],
  ['"', []],
])('the challenge %s', (header, expected) => {
  expect(readChallenges(header).map(({ scheme, parameters }) => [scheme, parameters])).toEqual(expected)
})

test.each([
  ['3', 3000],
  ['Mon, 23 Nov 2026 00:00:10 GMT', 10_000],
  ['Mon, 23 Nov 2020 00:00:10 GMT', 0],
  ['soon', null],
  [undefined, null],
])('Retry-After %s', (header, expected) => {
  expect(retryAfter(header, Date.parse('2026-11-23T00:00:00Z'))).toBe(expected)
})

test.each([
  ['</v2/a/tags/list?n=1&last=x>; rel="next"', '/v2/a/tags/list?n=1&last=x'],
  ['<https://other/v2/a/tags/list?last=y>;rel=next', '/v2/a/tags/list?last=y'],
  ['</v2/a/tags/list?last=z>; rel="prev"', null],
  ['<list?last=w>; rel="next"', '/v2/a/tags/list?last=w'],
  ['<https://other/steal>; rel="next"', null],
  [undefined, null],
])('the link %s', (link, expected) => {
  expect(nextPage(link, new URL('http://r/v2/a/tags/list?n=1'))).toBe(expected)
})

test('lists of tags are read, and nothing else is', () => {
  expect(readTags(Buffer.from('{"tags":["1","a b",2,"-x","v1_2"]}'))).toEqual(['1', 'v1_2'])
  expect(readTags(Buffer.from('{"tags":null}'))).toEqual([])
  for (const body of ['', '[]', '{}', '{"tags":{}}', 'null']) expect(readTags(Buffer.from(body))).toBeNull()
})

describe('a manifest', () => {
  const [amd, arm, attestation] = ['a', 'b', 'c'].map((sign) => `sha256:${sign.repeat(64)}`)
  const index = readManifest(
    Buffer.from(
      JSON.stringify({
        manifests: [
          { digest: arm, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
          { digest: amd, platform: { os: 'linux', architecture: 'amd64' } },
          { digest: attestation, platform: { os: 'unknown', architecture: 'unknown' } },
          { digest: 'nonsense', platform: { os: 'linux', architecture: 's390x' } },
        ],
        annotations: { a: 'b', c: 1 },
      }),
    ),
  )

  it('of several platforms names one for each', () => {
    expect(index).toEqual({
      platforms: [
        { platform: 'linux/arm/v7', digest: arm },
        { platform: 'linux/amd64', digest: amd },
      ],
      config: null,
      annotations: { a: 'b' },
    })
    if (index === null) throw new Error('no index')
    expect(imageFor(index, 'linux/arm')).toBe(arm)
    expect(imageFor(index, 'linux/amd64')).toBe(amd)
    expect(imageFor(index, null)).toBe(amd)
    expect(imageFor({ ...index, platforms: [] }, null)).toBeNull()
  })

  it('of one image names its configuration, where the labels are', () => {
    expect(readManifest(Buffer.from(JSON.stringify({ config: { digest: amd } })))?.config).toBe(amd)
    expect(readManifest(Buffer.from('{"schemaVersion":1,"fsLayers":[]}'))).toBeNull()
    expect(readManifest(Buffer.from('nonsense'))).toBeNull()
    expect(readLabels(Buffer.from('{"config":{"Labels":{"a":"b","c":null}}}'))).toEqual({ a: 'b' })
    expect(readLabels(Buffer.from('{"config":null}'))).toEqual({})
  })
})

test('addresses', () => {
  expect(apiHost('docker.io')).toBe('registry-1.docker.io')
  expect(apiHost('quay.io')).toBe('quay.io')
  expect(schemesFor('quay.io', [])).toEqual(['https'])
  expect(schemesFor('127.8.0.1:5000', [])).toEqual(['https', 'http'])
  expect(schemesFor('[::1]:5000', [])).toEqual(['https', 'http'])
  expect(schemesFor('127.0.0.1.example.org', [])).toEqual(['https'])
  expect(schemesFor('registry.lan:5000', ['registry.lan'])).toEqual(['https', 'http'])
})

test('work that takes too long is given up, a regular expression too; what it throws goes on', () => {
  expect(withinTime(1000, () => 'done')).toBe('done')
  const begun = performance.now()
  expect(withinTime(100, () => /^(a+)+$/.test(`${'a'.repeat(60)}b`))).toBeNull()
  expect(performance.now() - begun).toBeLessThan(3000)
  expect(() =>
    withinTime(1000, () => {
      throw new Error('mine')
    }),
  ).toThrow('mine')
})
