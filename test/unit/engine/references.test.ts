// References, mirror rules and rollback tags.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rewriteReference } from '../../../src/engine/mirrors.ts'
import { formatReference, parseReference } from '../../../src/desired/image-reference.ts'
import { parseRollbackTag, rollbackTag } from '../../../src/plan/rollback-tag.ts'

const DIGEST = `sha256:${'a1'.repeat(32)}`

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['team/app', 'docker.io/team/app:latest'],
  ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
  ['localhost/app:1', 'localhost/app:1'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['127.0.0.1:5000/a/b/c:2', '127.0.0.1:5000/a/b/c:2'],
  ['[::1]:5000/app:2', '[::1]:5000/app:2'],
  ['quay.io/openstack.kolla/nova-api:2025.1-ubuntu-noble', 'quay.io/openstack.kolla/nova-api:2025.1-ubuntu-noble'],
  [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
  [`quay.io/a/b:1@${DIGEST}`, `quay.io/a/b:1@${DIGEST}`],
])('%s is %s', (text, full) => {
  const parsed = parseReference(text)
  expect(parsed === null ? null : formatReference(parsed)).toBe(full)
})

test.each([
  '',
  'Nginx',
  'a//b',
  '/a',
  'a/',
  'a:',
  'a@sha256:12',
  'a b',
  '../x',
  'a:b:c',
  `a@${DIGEST}@${DIGEST}`,
  'quay.io/',
])('%j is no reference', (text) => expect(parseReference(text)).toBeNull())

test('the full form reads as itself', () => {
  const name = fc.stringMatching(/^[a-z0-9]{1,8}$/)
  const registry = fc.constantFrom('', 'quay.io/', '127.0.0.1:5000/', 'localhost/')
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/), { nil: '' })
  fc.assert(
    fc.property(registry, fc.array(name, { minLength: 1, maxLength: 3 }), tag, (host, parts, suffix) => {
      const parsed = parseReference(`${host}${parts.join('/')}${suffix === '' ? '' : `:${suffix}`}`)
      // A tag may not begin with a dot or a dash.
      expect(parsed === null).toBe(/^[.-]/.test(suffix))
      if (parsed !== null) expect(parseReference(formatReference(parsed))).toEqual(parsed)
    }),
  )
})

test('the longest rule wins, once, and on whole parts', () => {
  const rules = [
    { from: 'quay.io/', to: '127.0.0.1:5000/quay/' },
    { from: 'quay.io/openstack.kolla/', to: '127.0.0.1:5000/kolla/' },
    { from: 'quay.io/single/app', to: 'quay.io/other/app' },
    { from: 'docker.io/', to: 'mirror.example/hub/' },
  ]
  const rewrite = (reference: string) => rewriteReference(rules, reference)
  expect(rewrite('quay.io/x/y:1')).toBe('127.0.0.1:5000/quay/x/y:1')
  expect(rewrite('quay.io/openstack.kolla/nova-api:1')).toBe('127.0.0.1:5000/kolla/nova-api:1')
  expect(rewrite('quay.io/single/app:3')).toBe('quay.io/other/app:3')
  expect(rewrite('quay.io/single/apple:3')).toBe('127.0.0.1:5000/quay/single/apple:3')
  expect(rewrite('nginx')).toBe('mirror.example/hub/library/nginx:latest')
  expect(rewrite(`team/app@${DIGEST}`)).toBe(`mirror.example/hub/team/app@${DIGEST}`)
  expect(rewrite('ghcr.io/a/b')).toBe('ghcr.io/a/b')
  expect(rewriteReference([], 'nginx')).toBe('nginx')
  expect(rewriteReference([{ from: '', to: 'mirror.example/' }], 'quay.io/a:1')).toBe('mirror.example/quay.io/a:1')
})

test('a rollback tag is read back as it was given, and is a reference', () => {
  const tag = rollbackTag('cloud', 'nova-api', 12, `sha256:${'0123456789abcdef'.repeat(4)}`)
  expect(tag).toBe('graft.local/cloud/nova-api:g12-0123456789ab')
  expect(parseRollbackTag(tag)).toEqual({
    deployment: 'cloud',
    leaf: 'nova-api',
    generation: 12,
    imageId12: '0123456789ab',
  })
  expect(parseReference(tag)).toMatchObject({ registry: 'graft.local', repository: 'cloud/nova-api' })
  for (const other of ['graft.local/lock:1', 'graft.local/a/b:latest', 'quay.io/a/b:g1-0123456789ab']) {
    expect(parseRollbackTag(other)).toBeNull()
  }
})
