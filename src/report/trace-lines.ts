// A trace as lines, from what runs down to who wrote it.

import type { CommitFacts } from '../repository/snapshot.ts'
import { shortDate } from './calendar.ts'
import { align, plain } from './columns.ts'
import { age } from './durations.ts'
import type { Palette } from './palette.ts'
import { pullRequestText } from './pull-request.ts'
import type { Trace } from './trace.ts'

export interface TraceOptions {
  readonly palette: Palette
  /** Milliseconds since 1970. */
  readonly now: number
  /** Where a file of the deployment lies, as seen from the person's current folder. */
  readonly place: (file: string) => string
}

export function traceLines(trace: Trace, options: TraceOptions): string[] {
  const { palette, place } = options
  const { leaf, set, container, introduced, written, madeFor, pullRequest } = trace
  const row = (label: string, text: string): string[] => [palette.dim(label), text]
  const commit = (facts: CommitFacts): string => commitLine(facts, options)
  const by = written ?? introduced
  return align([
    row('container', containerText(trace, options)),
    ...(container === null
      ? []
      : [row('image', `${plain(container.image)}  ${palette.dim(container.imageId.slice(0, 19))}`)]),
    row('leaf', `${palette.bold(leaf)}${set === null ? '' : palette.dim(`  in ${set === '' ? 'the root' : set}`)}`),
    row('generation', generationText(trace, palette)),
    ...(trace.place === null ? [] : [row('file', `${place(trace.place.file)}:${trace.place.line}`)]),
    row('commit', introduced === null ? palette.dim("not in this branch's history") : commit(introduced)),
    ...(written === null ? [] : [row('merged', commit(written))]),
    ...(by === null ? [] : [row('author', plain(by.author))]),
    ...(pullRequest === null
      ? []
      : [row('request', [palette.accent(pullRequestText(pullRequest)), pullRequest.link ?? ''].join('  ').trimEnd())]),
    ...(madeFor === null ? [] : [row('made for', commit(madeFor))]),
  ])
}

function containerText({ container, engineFault }: Trace, { palette, now }: TraceOptions): string {
  if (engineFault !== null) return palette.bad(`not known: ${plain(engineFault.message)}`)
  if (container === null) return palette.dim('none on this engine')
  const { id, name, role, state, health, startedAt } = container
  const paint = state !== 'running' || health === 'unhealthy' ? palette.bad : palette.good
  const words = [
    ...(role === 'live' ? [] : [role]),
    state === 'running' && health !== 'none' ? health : state,
    ...(startedAt === null || state !== 'running' ? [] : [`for ${age(now - startedAt)}`]),
  ]
  return `${palette.bold(name)}  ${palette.dim(id.slice(0, 12))}  ${paint(words.join(', '))}`
}

function generationText({ generation, declared, container }: Trace, palette: Palette): string {
  if (generation === null) return palette.dim('none')
  const number = palette.accent(String(generation))
  if (declared === null) return `${number}  ${palette.bad('the leaf is gone from the newest commit')}`
  if (container === null || declared === generation) return number
  return `${number}  ${palette.changed(`${declared} is declared now`)}`
}

function commitLine({ id, subject, time }: CommitFacts, { palette, now }: TraceOptions): string {
  const when = palette.dim(`${shortDate(time, now).trim()}, ${age(now - time)} ago`)
  return `${palette.changed(id.slice(0, 7))} ${plain(subject)}  ${when}`
}
