// What a reviewer wants to know of an image that is bumped: from, to, digests, and links that the image itself names.
// Pure. Labels are somebody else's words: only addresses and commit ids of a plain form are taken from them.

import { plain } from './columns.ts'

/** One image before or after. */
export interface ImageSide {
  readonly tag: string
  /** `sha256:…`; null where it could not be learned. */
  readonly digest: string | null
  readonly labels: Readonly<Record<string, string>>
}

export interface ImageStep {
  /** `quay.io/example/web`. */
  readonly name: string
  readonly leaves: readonly string[]
  readonly from: ImageSide
  readonly to: ImageSide
}

/** Steps that a message describes in full; the rest is in the list of leaves anyway. */
const DESCRIBED = 30

/** Paragraphs for the end of a commit's message; '' for none. */
export function imageStepText(steps: readonly ImageStep[]): string {
  const paragraphs = merged(steps)
    .slice(0, DESCRIBED)
    .map((step) => paragraph(step).join('\n'))
  return paragraphs.join('\n\n')
}

/** Links for one step, the most useful first. */
export function linksOf({ from, to }: ImageStep): { readonly what: string; readonly url: string }[] {
  const source = addressIn(to.labels['org.opencontainers.image.source'])
  const site = addressIn(to.labels['org.opencontainers.image.url'])
  const docs = addressIn(to.labels['org.opencontainers.image.documentation'])
  const compare = source === null ? null : compareLink(source, from, to)
  return [
    ...(compare === null ? [] : [{ what: 'changes', url: compare }]),
    ...(source === null ? [] : [{ what: 'source', url: source.href }]),
    ...(site === null || site.href === source?.href ? [] : [{ what: 'site', url: site.href }]),
    ...(docs === null || site !== null || source !== null ? [] : [{ what: 'docs', url: docs.href }]),
  ]
}

function paragraph(step: ImageStep): string[] {
  const { name, leaves, from, to } = step
  const version = plain(to.labels['org.opencontainers.image.version'] ?? '').slice(0, 80)
  const head = from.tag === to.tag ? `${name}:${to.tag}` : `${name}: ${from.tag} → ${to.tag}`
  return [
    leaves.length > 1 ? `${head} (${leaves.length} leaves)` : head,
    ...(from.digest === null ? [] : [`  from     ${from.digest}`]),
    ...(to.digest === null ? [] : [`  to       ${to.digest}`]),
    ...(version === '' || version === to.tag ? [] : [`  version  ${version}`]),
    ...linksOf(step).map(({ what, url }) => `  ${what.padEnd(8)} ${url}`),
  ]
}

/** The same step of several leaves is one. */
function merged(steps: readonly ImageStep[]): ImageStep[] {
  const found = new Map<string, ImageStep>()
  for (const step of steps) {
    const key = [step.name, step.from.tag, step.from.digest, step.to.tag, step.to.digest].join(' ')
    const before = found.get(key)
    found.set(key, before === undefined ? step : { ...before, leaves: [...before.leaves, ...step.leaves] })
  }
  return [...found.values()]
}

/** Where both images name the commit they were built from, and the forge's way to compare is known. */
function compareLink(source: URL, from: ImageSide, to: ImageSide): string | null {
  const [before, after] = [from, to].map(({ labels }) => labels['org.opencontainers.image.revision'] ?? '')
  const isCommit = (text: string | undefined): text is string => /^[0-9a-f]{7,64}$/.test(text ?? '')
  if (!isCommit(before) || !isCommit(after) || before === after) return null
  const [owner, repository] = source.pathname.split('/').filter((part) => part !== '')
  if (owner === undefined || repository === undefined) return null
  const { hostname, origin } = source
  const path = source.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
  if (/(^|\.)gitlab\./.test(hostname)) return `${origin}${path.replace(/\/-\/.*$/, '')}/-/compare/${before}...${after}`
  const usesOwnerAndName =
    hostname === 'github.com' || hostname === 'codeberg.org' || /(^|\.)(gitea|forgejo)\./.test(hostname)
  return usesOwnerAndName ? `${origin}/${owner}/${repository.replace(/\.git$/, '')}/compare/${before}...${after}` : null
}

/** Null for what is no address of the web, or none that fits into a line. */
function addressIn(label: string | undefined): URL | null {
  const text = (label ?? '').trim()
  if (text.length > 300 || !/^https?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return url
}
