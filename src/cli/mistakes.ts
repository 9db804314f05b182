// How a command ends that a person has to do something about: with problems, or with one message and its remedy.

import { EngineFault } from '../apply/engine.ts'
import type { Problem } from '../desired/problem.ts'
import { problemLines, sentence } from '../report/problem-lines.ts'
import { problemsJson } from '../report/json.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { Output } from './output.ts'

/** Problems of settings or of the host's files, which end a command. */
export class Problems extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('; '))
    this.name = 'Problems'
    this.problems = problems
  }
}

/** One mistake without a place in a file. */
export class Mistake extends Error {
  readonly remedy: string
  constructor(message: string, remedy: string) {
    super(message)
    this.name = 'Mistake'
    this.remedy = remedy
  }
}

/** Says what went wrong on stderr, or as JSON on stdout; a stack trace only for graft's own mistakes, when asked for. */
export function tellFailure(error: unknown, output: Output, json: boolean, debug: boolean): void {
  const problems = problemsOf(error)
  if (json) {
    output.printJson(problemsJson(problems))
    return
  }
  const palette = output.errorPalette
  if (error instanceof Problems) {
    output.say(problemLines(error.problems, { palette }))
    return
  }
  output.say(problems.flatMap(({ message, remedy }) => failureLines(message, remedy, output)))
  if (isForeseen(error)) return
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  output.say(debug ? [stack] : [])
}

export function failureLines(message: string, remedy: string, { errorPalette }: Output): string[] {
  return [`${errorPalette.bad('graft:')} ${sentence(message)}`, `  ${errorPalette.accent('→')} ${sentence(remedy)}`]
}

function isForeseen(error: unknown): boolean {
  return (
    error instanceof Problems ||
    error instanceof Mistake ||
    error instanceof RepositoryFault ||
    error instanceof EngineFault ||
    systemMistake(error) !== null
  )
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof Problems) return error.problems
  if (error instanceof Mistake || error instanceof RepositoryFault || error instanceof EngineFault) {
    return [problem(error.message, error.remedy)]
  }
  const system = systemMistake(error)
  if (system !== null) return [system]
  const words = error instanceof Error ? error.message : String(error)
  return [problem(words, 'this is a bug in graft: set GRAFT_DEBUG=1 to see where it happened, and report it')]
}

/** What the host's file system refuses is for the person to change, and no bug. */
function systemMistake(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  // Where a disk is full while a file is written, Node names no path.
  if (error.code === 'ENOSPC' && !('path' in error)) {
    return problem(
      'there is no space left on a disk that graft writes to',
      'make some room where its state folder lies',
    )
  }
  if (!('path' in error)) return null
  const path = String(error.path)
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return problem(
        `${path} may not be written or read by this user`,
        'give this user the right to, or name another folder (--state FOLDER)',
      )
    case 'EROFS':
      return problem(`${path} lies on a read-only file system`, 'name another folder (--state FOLDER)')
    case 'ENOSPC':
      return problem(`there is no space left for ${path}`, 'make some room on that disk')
    case 'ENOTDIR':
    case 'EEXIST':
      return problem(`${path} is in the way: a folder was expected`, 'move it, or name another folder (--state FOLDER)')
    default:
      return null
  }
}

function problem(message: string, remedy: string): Problem {
  const nowhere = { file: null, line: null, column: null, text: null, leaf: null }
  return { ...nowhere, message, remedy, severity: 'unreadable' }
}
