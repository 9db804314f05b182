// Whether a webhook comes from somebody who knows the secret, judged over its raw bytes before anything reads them.
// GitHub, "Validating webhook deliveries"; GitLab, "Webhooks: secret token"; Gitea and Forgejo, "Webhooks".

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

import type { ForgeKind } from './forge-project.ts'

/** `plain`: anything that can send a request: a cron job, another forge. */
export type WebhookKind = ForgeKind | 'plain'

export const WEBHOOK_KINDS: readonly WebhookKind[] = ['github', 'gitlab', 'gitea', 'forgejo', 'plain']

/** Header names in small letters, as Node gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

type Proof = { readonly header: string; readonly form: 'hmac' | 'hmac-prefixed' | 'token' | 'bearer' }

/** The first header that is there decides. */
const PROOFS: Readonly<Record<WebhookKind, readonly Proof[]>> = {
  github: [{ header: 'x-hub-signature-256', form: 'hmac-prefixed' }],
  gitlab: [{ header: 'x-gitlab-token', form: 'token' }],
  gitea: [{ header: 'x-gitea-signature', form: 'hmac' }],
  forgejo: [
    { header: 'x-forgejo-signature', form: 'hmac' },
    { header: 'x-gitea-signature', form: 'hmac' },
  ],
  plain: [
    { header: 'x-graft-signature', form: 'hmac-prefixed' },
    { header: 'authorization', form: 'bearer' },
  ],
}

/** `missing`: no header that could prove anything. The comparison takes as long for a near miss as for any other. */
export function proves(
  kind: WebhookKind,
  headers: Headers,
  body: Uint8Array,
  secret: string,
): 'proven' | 'wrong' | 'missing' {
  for (const { header, form } of PROOFS[kind]) {
    const given = headers[header]
    if (typeof given !== 'string') continue
    const hmac = (): string => createHmac('sha256', secret).update(body).digest('hex')
    const expected =
      form === 'hmac'
        ? hmac()
        : form === 'hmac-prefixed'
          ? `sha256=${hmac()}`
          : form === 'bearer'
            ? `Bearer ${secret}`
            : secret
    return sameText(given, expected) ? 'proven' : 'wrong'
  }
  return 'missing'
}

/** The headers in which the proof is looked for, for messages. */
export function proofHeaders(kind: WebhookKind): string {
  return PROOFS[kind].map(({ header }) => header).join(' or ')
}

/** Compares digests of one length, so that neither content nor length shows in the time it takes. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
