// What an engine says when a pull fails, as a fault that a person can act on. The engine passes on the registry's and
// Go's own words and has no codes for them, so the words decide; whatever is not known keeps its words.

import { EngineFault } from '../apply/engine.ts'
import { formatReference, parseReference } from '../desired/image-reference.ts'

/** Whose credentials were tried; null: none were known. */
export type TriedCredentials = { readonly owner: string } | null

/** `text` is the engine's message, from an error status or from an `error` line in a 200 stream. */
export function pullFault(reference: string, text: string, credentials: TriedCredentials): EngineFault {
  const parsed = parseReference(reference)
  const registry = parsed?.registry ?? 'the registry'
  // What a person looks for in the registry, without the registry's name.
  const image = parsed === null ? reference : formatReference(parsed).slice(parsed.registry.length + 1)
  const tried = credentials === null ? `no credentials, as Docker knows none for ${registry}` : credentials.owner
  const words = text.trim().replace(/^Error response from daemon: /, '')
  for (const { pattern, kind, message, remedy } of CAUSES) {
    if (!pattern.test(words)) continue
    const facts: Facts = { registry, image, tried, words }
    return new EngineFault(kind, message(facts), remedy(facts))
  }
  return new EngineFault(
    'registry',
    `${reference} cannot be pulled: ${words || 'the engine gave no reason'}`,
    `Look at ${registry} and at the engine's log; graft tries again by itself.`,
  )
}

interface Facts {
  readonly registry: string
  readonly image: string
  readonly tried: string
  readonly words: string
}

interface Cause {
  readonly pattern: RegExp
  readonly kind: 'registry' | 'disk'
  readonly message: (facts: Facts) => string
  readonly remedy: (facts: Facts) => string
}

// The first that fits wins: `pull access denied` speaks of a repository that does not exist, too.
const CAUSES: readonly Cause[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    kind: 'disk',
    message: ({ image }) => `the engine's disk is full, ${image} does not fit`,
    remedy: () => 'Free some space where the engine keeps its data, for example with `docker image prune`.',
  },
  {
    pattern: /toomanyrequests|too many requests|\b429\b/i,
    kind: 'registry',
    message: ({ registry, image, tried }) => `${registry} limits the rate of pulls, ${image} was put off (${tried})`,
    remedy: ({ registry }) => `Log in to ${registry}, or use a mirror; graft tries again by itself.`,
  },
  {
    pattern: /verification failed for digest|does not match digest|unexpected digest|digest mismatch/i,
    kind: 'registry',
    message: ({ registry, image, words }) =>
      `${registry} sent something else than ${image} by its digest (${shorten(words)})`,
    remedy: ({ registry }) =>
      `Push the image again, and see what stands between the engine and ${registry}: a proxy or a mirror may alter or mix up answers.`,
  },
  {
    pattern: /no basic auth credentials|unauthorized|authentication required|denied|incorrect username or password/i,
    kind: 'registry',
    message: ({ registry, image, tried, words }) =>
      `${registry} refused ${image} (${shorten(words)}); tried with ${tried}`,
    remedy: ({ registry }) => `Check the image's name, and log in with \`docker login ${registry}\`.`,
  },
  {
    pattern: /no matching manifest|does not match the specified platform|no match for platform/i,
    kind: 'registry',
    message: ({ registry, image, words }) => `${registry} has no ${image} for this platform (${shorten(words)})`,
    remedy: () => 'Name an image that is built for this machine, or set `platform`.',
  },
  {
    pattern: /manifest unknown|not found|does not exist|name unknown|name invalid|\b404\b/i,
    kind: 'registry',
    message: ({ registry, image, words }) => `${registry} has no image ${image} (${lastWords(words)})`,
    remedy: () => 'Check the name and the tag; graft tries again by itself, should the image still be on its way.',
  },
  {
    pattern: /gave HTTP response to HTTPS client/i,
    kind: 'registry',
    message: ({ registry }) => `${registry} speaks plain HTTP where the engine wants HTTPS`,
    remedy: ({ registry }) =>
      `Name ${registry} under \`insecure-registries\` in the engine's daemon.json, or give it a certificate.`,
  },
  {
    pattern: /x509|certificate|tls:/i,
    kind: 'registry',
    message: ({ registry, words }) => `the engine does not trust the certificate of ${registry} (${shorten(words)})`,
    remedy: ({ registry }) =>
      `Put the authority's certificate into /etc/docker/certs.d/${registry}/ca.crt on the engine's host.`,
  },
  {
    pattern: /no such host|server misbehaving|name resolution|lookup .*i\/o timeout/i,
    kind: 'registry',
    message: ({ registry }) => `the engine cannot resolve the name ${registry}`,
    remedy: () => "Check the registry's name and the DNS of the engine's host.",
  },
  {
    pattern: /connection refused|no route to host|network is unreachable|connection reset/i,
    kind: 'registry',
    message: ({ registry, words }) => `the engine cannot connect to ${registry} (${lastWords(words)})`,
    remedy: ({ registry }) => `See that ${registry} is running and can be reached from the engine's host.`,
  },
  {
    pattern: /timeout|deadline exceeded|request canceled|\bEOF\b/i,
    kind: 'registry',
    message: ({ registry, words }) => `${registry} did not answer the engine in time (${lastWords(words)})`,
    remedy: () => 'Check the network between the engine and the registry; graft tries again by itself.',
  },
]

function shorten(words: string): string {
  return words.length > 160 ? `${words.slice(0, 159)}…` : words
}

/** `manifest for x:1 not found: manifest unknown: manifest unknown` → `manifest unknown`. */
function lastWords(words: string): string {
  return shorten(words.split(': ').at(-1) ?? words)
}
