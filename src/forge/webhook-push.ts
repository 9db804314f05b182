// What a webhook says, as far as graft cares: was something pushed, to which repository, to which ref. Pure.
// GitHub, "Webhook events and payloads: push"; GitLab, "Webhook events: push events"; Gitea, "Webhooks".

import { placeOf } from './forge-project.ts'
import type { Headers, WebhookKind } from './webhook-proof.ts'

export type WebhookNews =
  | {
      readonly kind: 'push'
      /** `owner/name` in small letters, each form that the payload gives. */
      readonly repositories: ReadonlySet<string>
      /** Full name; null where it is not said. */
      readonly ref: string | null
    }
  /** Sent when the webhook is made, or to try it. */
  | { readonly kind: 'ping' }
  /** Something that changes no commit. */
  | { readonly kind: 'other'; readonly event: string }
  | { readonly kind: 'unreadable'; readonly why: string }

const EVENT_HEADERS: Readonly<Record<Exclude<WebhookKind, 'plain'>, readonly string[]>> = {
  github: ['x-github-event'],
  gitlab: ['x-gitlab-event'],
  gitea: ['x-gitea-event'],
  forgejo: ['x-forgejo-event', 'x-gitea-event'],
}

const PUSHES = new Set(['push', 'create', 'delete', 'push hook', 'tag push hook', 'system hook'])

/** Only what was proven comes here. A `plain` one needs no body: that it came is all it says. */
export function readWebhook(kind: WebhookKind, headers: Headers, body: Uint8Array): WebhookNews {
  if (kind === 'plain') return { kind: 'push', repositories: new Set(), ref: null }
  const given = EVENT_HEADERS[kind].map((name) => headers[name]).find((value) => typeof value === 'string')
  const event = typeof given === 'string' ? given.toLowerCase().slice(0, 100) : ''
  if (event === 'ping') return { kind: 'ping' }
  if (!PUSHES.has(event)) return { kind: 'other', event: event === '' ? 'none' : event }
  const payload = payloadIn(headers['content-type'], body)
  if (payload === null) return { kind: 'unreadable', why: 'the body is no JSON object' }
  const repository = recordAt(payload, kind === 'gitlab' ? 'project' : 'repository') ?? recordAt(payload, 'repository')
  if (repository === null) return { kind: 'unreadable', why: 'the body names no repository' }
  return { kind: 'push', repositories: repositoriesIn(repository), ref: textAt(payload, 'ref') }
}

/** GitHub and Gitea can also be told to send a form with the JSON in its field `payload`. */
function payloadIn(type: Headers[string], body: Uint8Array): Readonly<Record<string, unknown>> | null {
  const text = Buffer.from(body).toString('utf8')
  const isForm = typeof type === 'string' && type.startsWith('application/x-www-form-urlencoded')
  try {
    const parsed: unknown = JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text)
    return isRecord(parsed) ? parsed : null
  } catch {
    return null
  }
}

const NAMES = ['full_name', 'path_with_namespace']
const ADDRESSES = [
  'clone_url',
  'ssh_url',
  'html_url',
  'git_url',
  'git_http_url',
  'git_ssh_url',
  'web_url',
  'homepage',
  'url',
]

function repositoriesIn(repository: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const key of NAMES) {
    const name = textAt(repository, key)
    if (name !== null) found.add(name.toLowerCase())
  }
  for (const key of ADDRESSES) {
    const place = placeOf(textAt(repository, key) ?? '')
    if (place !== null) found.add(place.path.toLowerCase())
  }
  return found
}

function recordAt(from: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> | null {
  const value = Object.hasOwn(from, key) ? from[key] : null
  return isRecord(value) ? value : null
}

function textAt(from: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = Object.hasOwn(from, key) ? from[key] : null
  return typeof value === 'string' && value !== '' ? value : null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
