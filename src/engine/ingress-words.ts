// What HAProxy says of a configuration, read: its words without their frame, and the lines they name. Pure.

export interface Complaint {
  readonly words: readonly string[]
  /** 1-based lines of the configuration, sorted. */
  readonly lines: readonly number[]
}

/**
 * The alerts in what HAProxy wrote about the file `name` (`haproxy.cfg`), as 2.4 to 3.x write them:
 * `[ALERT]    (7) : config : parsing [/graft-ingress/haproxy.cfg:12] : unknown keyword 'odd'`. What matches `aside` is left out.
 */
export function complaintIn(output: string, name: string, aside: RegExp): Complaint {
  const words: string[] = []
  const lines = new Set<number>()
  const place = new RegExp(`\\[[^\\]\\s]*${name.replaceAll('.', '\\.')}:(\\d+)\\]`, 'g')
  for (const line of output.split('\n')) {
    if (!line.includes('[ALERT]') || aside.test(line)) continue
    for (const [, number] of line.matchAll(place)) lines.add(Number(number))
    const text = line.replace(/^.*?\[ALERT\]\s*(\(\d+\))?\s*:\s*/, '').replace(place, '[line $1]')
    words.push(text.trim())
  }
  return { words: [...new Set(words)], lines: [...lines].toSorted((a, b) => a - b) }
}

/** Said by a HAProxy that found nothing wrong itself: sums, and what became of its processes. */
export const ASIDE =
  /(Error\(s\) found in configuration file|Fatal errors found in configuration|Failed to get the sockets from the old process|worker \(\d+\) exited|\[haproxy\.main\(\)\] Some protocols failed to start)/

/** The text with each `bind` line of it that is not `wanted` as a comment: every line keeps its number. */
export function withBindsOnly(text: string, wanted: (bind: string) => boolean): string {
  return text
    .split('\n')
    .map((line) => (/^\s*bind\s/.test(line) && !wanted(line.trim()) ? `# ${line}` : line))
    .join('\n')
}

/** The `bind` lines that open ports; sockets of HAProxy's own cannot be taken by others. */
export function bindsOf(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').flatMap((line) => (/^\s*bind\s+(?!unix@)/.test(line) ? [line.trim()] : [])))
}
