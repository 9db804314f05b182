// Problems where a forge shows them beside the line: GitHub's workflow commands, which Gitea and Forgejo read as well,
// and GitLab's code quality report. Pure.

import type { Problem } from '../desired/problem.ts'
import { plain } from './columns.ts'

/** A file of the deployment as a path in the repository. */
export type PathInRepository = (file: string) => string

/** GitHub shows ten errors and ten warnings of a step; what is worst comes first. Source: "Workflow commands for GitHub Actions". */
export function githubAnnotations(problems: readonly Problem[], path: PathInRepository): string[] {
  const worstFirst = [...problems].toSorted((a, b) => Number(isWarning(a)) - Number(isWarning(b)))
  return worstFirst.map((problem) => {
    const { file, line, column, message, remedy } = problem
    const properties = [
      ...(file === null ? [] : [`file=${property(path(file))}`]),
      ...(file === null || line === null ? [] : [`line=${line}`]),
      ...(file === null || line === null || column === null ? [] : [`col=${column}`]),
      `title=${property(`graft${problem.severity === 'held' ? ': held' : ''}`)}`,
    ]
    const text = `${plain(message)}\n→ ${plain(remedy)}`
    return `::${isWarning(problem) ? 'warning' : 'error'} ${properties.join(',')}::${data(text)}`
  })
}

export interface QualityEntry {
  readonly description: string
  readonly check_name: string
  /** The same for the same problem in the same file, so that GitLab can tell new ones from old ones. */
  readonly fingerprint: string
  readonly severity: 'blocker' | 'major' | 'minor'
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } }
}

/** Source: GitLab, "Code Quality report format". An entry needs a file: `fallback` stands where none is at fault. `hash`: of a text, as hex. */
export function codeQuality(
  problems: readonly Problem[],
  path: PathInRepository,
  fallback: string,
  hash: (text: string) => string,
): QualityEntry[] {
  const seen = new Map<string, number>()
  return problems.map(({ file, line, message, remedy, severity, leaf }) => {
    const place = path(file ?? fallback)
    const key = JSON.stringify([place, severity, leaf, message])
    const times = seen.get(key) ?? 0
    seen.set(key, times + 1)
    return {
      description: `${plain(message)}; ${plain(remedy)}`,
      check_name: `graft-${severity}`,
      fingerprint: hash(`${key}${times}`).slice(0, 32),
      severity: severity === 'unreadable' ? 'blocker' : severity === 'held' ? 'major' : 'minor',
      location: { path: place, lines: { begin: line ?? 1 } },
    }
  })
}

function isWarning({ severity }: Problem): boolean {
  return severity === 'warning'
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
