// Webhooks as the forges send them: who may send one, and what it says.

import { createHmac } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { proves, type WebhookKind } from '../../../src/forge/webhook-proof.ts'
import { readWebhook } from '../../../src/forge/webhook-push.ts'

const SECRET = 'It is no secret'
const hmac = (body: string, secret = SECRET) => createHmac('sha256', secret).update(body).digest('hex')

/** The headers with which each forge proves a body. */
const proofs: readonly (readonly [WebhookKind, (body: string, secret?: string) => Record<string, string>])[] = [
  ['github', (body, secret) => ({ 'x-hub-signature-256': `sha256=${hmac(body, secret)}` })],
  ['gitlab', (_body, secret = SECRET) => ({ 'x-gitlab-token': secret })],
  ['gitea', (body, secret) => ({ 'x-gitea-signature': hmac(body, secret) })],
  ['forgejo', (body, secret) => ({ 'x-forgejo-signature': hmac(body, secret) })],
  ['forgejo', (body, secret) => ({ 'x-gitea-signature': hmac(body, secret) })],
  ['plain', (body, secret) => ({ 'x-graft-signature': `sha256=${hmac(body, secret)}` })],
  ['plain', (_body, secret = SECRET) => ({ authorization: `Bearer ${secret}` })],
]

describe.each(proofs)('a proof of %s', (kind, headersFor) => {
  const judge = (headers: Record<string, string>, body: string) => proves(kind, headers, Buffer.from(body), SECRET)
  const body = '{"ref":"refs/heads/main"}'

  it('holds for who knows the secret', () => {
    expect(judge(headersFor(body), body)).toBe('proven')
  })

  it('fails with another secret, with a part of it, and without any', () => {
    expect(judge(headersFor(body, `${SECRET}x`), body)).toBe('wrong')
    expect(judge(headersFor(body, ''), body)).toBe('wrong')
    const [[name = '', value = ''] = []] = Object.entries(headersFor(body))
    expect(judge({ [name]: value.slice(0, -1) }, body)).toBe('wrong')
    expect(judge({ [name]: '' }, body)).toBe('wrong')
    expect(judge({}, body)).toBe('missing')
  })

  it('is about these very bytes, where it is a signature', () => {
    const isToken = 'x-gitlab-token' in headersFor(body) || 'authorization' in headersFor(body)
    expect(judge(headersFor(body), `${body} `)).toBe(isToken ? 'proven' : 'wrong')
  })
})

/** From the examples that GitHub published for the algorithm ("Validating webhook deliveries"). */
it('agrees with the example that GitHub publishes', () => {
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const secret = "It's a Secret to Everybody"
  expect(proves('github', { 'x-hub-signature-256': signature }, Buffer.from('Hello, World!'), secret)).toBe('proven')
})

const read = (kind: WebhookKind, event: Record<string, string>, payload: unknown) => {
  const news = readWebhook(kind, event, Buffer.from(JSON.stringify(payload)))
  return news.kind === 'push' ? { ...news, repositories: [...news.repositories].toSorted() } : news
}

describe('what a webhook says', () => {
  it.each<[WebhookKind, Record<string, string>, unknown]>([
    [
      'github',
      { 'x-github-event': 'push' },
      { ref: 'refs/heads/main', repository: { full_name: 'Team/Site', clone_url: 'https://github.com/Team/Site.git' } },
    ],
    [
      'gitlab',
      { 'x-gitlab-event': 'Push Hook' },
      {
        ref: 'refs/heads/main',
        project: { path_with_namespace: 'team/site', git_ssh_url: 'git@gitlab.com:team/site.git' },
      },
    ],
    ['gitea', { 'x-gitea-event': 'push' }, { ref: 'refs/heads/main', repository: { full_name: 'team/site' } }],
    ['forgejo', { 'x-forgejo-event': 'push' }, { ref: 'refs/heads/main', repository: { full_name: 'team/site' } }],
    ['forgejo', { 'x-gitea-event': 'push' }, { ref: 'refs/heads/main', repository: { full_name: 'team/site' } }],
  ])('%s: a push', (kind, event, payload) => {
    expect(read(kind, event, payload)).toEqual({ kind: 'push', repositories: ['team/site'], ref: 'refs/heads/main' })
  })

  it('may lie in a form', () => {
    const payload = JSON.stringify({ ref: 'refs/heads/x', repository: { full_name: 'a/b' } })
    const headers = { 'x-github-event': 'push', 'content-type': 'application/x-www-form-urlencoded' }
    const body = Buffer.from(new URLSearchParams({ payload }).toString())
    expect(readWebhook('github', headers, body)).toMatchObject({ kind: 'push', ref: 'refs/heads/x' })
  })

  it('is a ping, something else, or cannot be read', () => {
    expect(read('github', { 'x-github-event': 'ping' }, {})).toEqual({ kind: 'ping' })
    expect(read('github', { 'x-github-event': 'issues' }, {})).toEqual({ kind: 'other', event: 'issues' })
    expect(read('github', {}, {})).toEqual({ kind: 'other', event: 'none' })
    for (const payload of [null, [], 'x', { repository: 'x' }, {}]) {
      expect(read('github', { 'x-github-event': 'push' }, payload)).toMatchObject({ kind: 'unreadable' })
    }
    const odd = '{"__proto__":{"repository":{"full_name":"a/b"}}}'
    expect(readWebhook('github', { 'x-github-event': 'push' }, Buffer.from(odd))).toMatchObject({ kind: 'unreadable' })
  })
})
