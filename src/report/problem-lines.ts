// Problems as lines for a person: grouped by file, each with a place that a terminal makes clickable, the text it is
// about, what is wrong and what would be right.

import type { Problem } from '../desired/problem.ts'
import { plain } from './columns.ts'
import type { Palette } from './palette.ts'
import { count } from './plurals.ts'

export interface ProblemOptions {
  readonly palette: Palette
  /** Where a file of the deployment lies, as seen from the person's current folder. */
  readonly place?: (file: string) => string
}

export function problemLines(
  problems: readonly Problem[],
  { palette, place = (file) => file }: ProblemOptions,
): string[] {
  const lines: string[] = []
  for (const [file, own] of byFile(problems)) {
    for (const problem of own) lines.push(...one(problem, file === null ? null : place(file), palette), '')
  }
  if (problems.length > 0) lines.push(countLine(problems, palette))
  return lines
}

function one(problem: Problem, file: string | null, palette: Palette): string[] {
  const { line, column, text, message, remedy, severity } = problem
  const where = file === null ? null : [file, line, column].filter((part) => part !== null).join(':')
  const sign =
    severity === 'warning'
      ? palette.changed('warning')
      : severity === 'held'
        ? palette.bad('held')
        : palette.bad('error')
  const head = [where === null ? '' : palette.bold(where), sign].filter((part) => part !== '').join('  ')
  return [
    head,
    ...(text === null ? [] : [`    ${palette.dim(plain(text))}`]),
    `  ${sentence(message)}`,
    `  ${palette.accent('→')} ${sentence(remedy)}`,
  ]
}

function countLine(problems: readonly Problem[], palette: Palette): string {
  const files = new Set(problems.map(({ file }) => file).filter((file) => file !== null)).size
  const warnings = problems.filter(({ severity }) => severity === 'warning').length
  const faults = problems.length - warnings
  const parts = [
    ...(faults > 0 ? [palette.bad(count(faults, 'problem'))] : []),
    ...(warnings > 0 ? [palette.changed(count(warnings, 'warning'))] : []),
  ]
  return `${parts.join(' and ')}${files > 0 ? ` in ${count(files, 'file')}` : ''}`
}

function byFile(problems: readonly Problem[]): Map<string | null, Problem[]> {
  const files = new Map<string | null, Problem[]>()
  for (const problem of problems) {
    const own = files.get(problem.file)
    if (own === undefined) files.set(problem.file, [problem])
    else own.push(problem)
  }
  return files
}

/** Messages come without a full stop, remedies of faults with or without a capital. */
export function sentence(text: string): string {
  return plain(text).replace(/\.$/, '')
}
