// What registries offer, as lines for a terminal. Pure.

import type { ImageNews } from '../registry/image-news.ts'
import { align, plain } from './columns.ts'
import type { Palette } from './palette.ts'

export interface OutdatedOptions {
  readonly palette: Palette
  /** Whether leaves with nothing to say of are shown as well. */
  readonly all: boolean
}

/** A row for each leaf; nothing for those that are up to date, unless all are wished. */
export function outdatedLines(news: readonly ImageNews[], { palette, all }: OutdatedOptions): string[] {
  const rows = news
    .filter((one) => all || isWorthTelling(one))
    .map((one) => [
      `${mark(one, palette)} ${palette.bold(plain(one.leaf))}`,
      ...cells(one),
      palette.dim(plain(words(one))),
    ])
  const remedies = new Set(news.flatMap(({ fault }) => (fault === null ? [] : [fault.remedy])))
  return [...align(rows), ...[...remedies].map((remedy) => `  ${palette.accent('→')} ${plain(remedy)}`)]
}

function isWorthTelling({ newer, newest, moved, remark, fault, hasPolicy }: ImageNews): boolean {
  return newer !== null || newest !== null || moved || fault !== null || (hasPolicy && remark !== null)
}

function mark({ newer, newest, moved, fault, hasPolicy }: ImageNews, palette: Palette): string {
  if (fault !== null) return palette.bad('✗')
  if (newer !== null || moved || (newest !== null && !hasPolicy)) return palette.changed('↑')
  return palette.good('✓')
}

/** Name of the image, what is declared, and what may follow. */
function cells({ image, reference, newer, newest, moved, served, hasPolicy }: ImageNews): [string, string, string] {
  if (reference === null) return [plain(image), '', '']
  const { registry, repository, tag, digest } = reference
  const name = `${registry}/${repository}`.replace(/^docker\.io\/(library\/)?/, '')
  const declared = tag ?? shortDigest(digest ?? '')
  const next = newer ?? (hasPolicy ? null : newest)
  if (next !== null) return [name, declared, `→ ${next}`]
  return [name, declared, moved && served !== null ? `→ ${shortDigest(served)}` : '']
}

function words({ newer, newest, moved, reference, remark, fault, hasPolicy }: ImageNews): string {
  if (fault !== null) return fault.message
  const said = [
    ...(moved && newer === null ? [`pinned to ${shortDigest(reference?.digest ?? '')}, and the tag has moved`] : []),
    ...(newest !== null && hasPolicy ? [`${newest} is outside of its image_policy`] : []),
    ...(newest !== null && !hasPolicy ? ['no image_policy'] : []),
    ...(remark === null ? [] : [remark]),
  ]
  return said.join('; ')
}

/** `sha256:` and twelve digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha\d+:[0-9a-f]{12})[0-9a-f]*$/, '$1')
}
