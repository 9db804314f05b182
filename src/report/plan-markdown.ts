// A plan as the comment of a pull request: what gains privilege first, then what swaps, how, in which order and with which
// gap, then what is held or refused. Safe against anything that stands in the repository, and capped in size. Pure.

import { heldWords } from '../plan/removal-guard.ts'
import type { Problem } from '../desired/problem.ts'
import type { Plan, Verdict } from '../plan/verdict.ts'
import { markdownCode, markdownText } from './markdown.ts'
import { createPalette } from './palette.ts'
import { reasonText } from './plan-lines.ts'
import { count } from './plurals.ts'
import { seconds } from './swap-words.ts'
import { summary, verdictWords } from './verdict-words.ts'

export interface PlanComment {
  readonly plan: Plan
  readonly problems: readonly Problem[]
  /** Short id and subject of the commit that is judged, and of the one it is compared with; null: nothing earlier reads. */
  readonly head: { readonly id: string; readonly subject: string } | null
  readonly than: { readonly id: string; readonly subject: string } | null
}

/** The first line of each such comment, by which the next run finds and replaces it. */
export const COMMENT_MARK = '<!-- graft plan -->'
/** Bytes; GitHub takes 65,536 characters, GitLab 1,000,000. */
export const COMMENT_LIMIT = 60_000
/** Bytes kept for the line that says what was left out. */
const ROOM_TO_CLOSE = 300

/** So that this block always fits, whatever the repository holds. */
const MOST_GAINING = 25
const MOST_GAINS = 5

const COLOURLESS = createPalette(false)

/** At most COMMENT_LIMIT bytes; whole blocks are left out from the end, and the comment says so. */
export function planMarkdown(comment: PlanComment, limit = COMMENT_LIMIT): string {
  const blocks = [
    heading(comment),
    ...privilegeBlock(comment.plan),
    ...problemBlocks(comment.problems),
    ...planBlocks(comment.plan),
  ]
  const kept: string[] = []
  let size = 0
  for (const block of blocks) {
    const bytes = Buffer.byteLength(block) + 2
    if (size + bytes > limit - ROOM_TO_CLOSE) {
      const left = blocks.length - kept.length
      kept.push(
        `_${count(left, 'part')} left out here: the comment would be too long. All of it: \`graft plan --against REV\`_`,
      )
      break
    }
    kept.push(block)
    size += bytes
  }
  return `${kept.join('\n\n')}\n`
}

export function unreadableMarkdown(problems: readonly Problem[]): string {
  const head = `${COMMENT_MARK}\n### graft: this does not read\n\nMerged as it is, it would change nothing on any host.`
  return `${cutBlocks([head, ...problemBlocks(problems)])}\n`
}

function cutBlocks(blocks: readonly string[]): string {
  let text = ''
  for (const block of blocks) {
    const next = text === '' ? block : `${text}\n\n${block}`
    if (Buffer.byteLength(next) > COMMENT_LIMIT - ROOM_TO_CLOSE) return `${text}\n\n_and more: \`graft validate\`_`
    text = next
  }
  return text
}

function heading({ plan, head, than }: PlanComment): string {
  const of = head === null ? '' : `${markdownCode(head.id.slice(0, 7))} ${markdownText(head.subject)}`
  const against =
    than === null
      ? 'with nothing earlier that reads: all is new'
      : `with ${markdownCode(than.id.slice(0, 7))} ${markdownText(than.subject)}`
  return `${COMMENT_MARK}\n### graft: ${markdownText(plan.deployment)}\n\n**${summary(plan.verdicts)}**\n\n${of === '' ? 'Compared' : `${of}, compared`} ${against}`
}

function privilegeBlock({ verdicts }: Plan): string[] {
  const gaining = verdicts.filter(({ gains }) => gains.length > 0)
  if (gaining.length === 0) return []
  const who = gaining.length === 1 ? 'gets what it does not have now' : 'get what they do not have now'
  const rows = gaining.slice(0, MOST_GAINING).map((verdict) => {
    const shown = verdict.gains.slice(0, MOST_GAINS).map((gain) => markdownCode(gain, 60))
    const more = verdict.gains.length - shown.length
    return `> - ${nameOf(verdict)}: ${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`
  })
  if (gaining.length > MOST_GAINING) rows.push(`> - and ${gaining.length - MOST_GAINING} more`)
  return [
    ['> [!CAUTION]', `> **More privilege**: ${count(gaining.length, 'leaf', 'leaves')} ${who}.`, '>', ...rows].join(
      '\n',
    ),
  ]
}

function problemBlocks(problems: readonly Problem[]): string[] {
  return problems.map(({ file, line, message, remedy, severity }) => {
    const word = severity === 'unreadable' ? 'Error' : severity === 'held' ? 'Held' : 'Warning'
    const place = file === null ? '' : ` ${markdownCode(line === null ? file : `${file}:${line}`)}`
    return `- **${word}**${place}: ${markdownText(message)}\n  → ${markdownText(remedy)}`
  })
}

function planBlocks(plan: Plan): string[] {
  const news = plan.verdicts.filter(({ kind }) => kind !== 'keep')
  if (news.length === 0) return ['Nothing would be done on a host.']
  const swaps = news.map(row)
  const table = ['| leaf | what | generation | order | expected gap |', '|---|---|---|---|---|', ...swaps]
  const limit = 40
  const blocks =
    swaps.length <= limit
      ? [table.join('\n')]
      : [
          table.slice(0, limit + 2).join('\n'),
          ...folded(`${swaps.length - limit} more`, [...table.slice(0, 2), ...swaps.slice(limit)]),
        ]
  const held =
    plan.removalHeld === null
      ? []
      : [`**Removals held**: ${heldWords(plan.removalHeld)}. A host waits for \`graft approve\`.`]
  return [...held, ...blocks, ...news.flatMap(details)]
}

function row(verdict: Verdict): string {
  const { fromGeneration: from, toGeneration: to, order, gap } = verdict
  const numbers = from === null || to === null || from === to ? `${to ?? from ?? ''}` : `${from} → ${to}`
  const gone =
    gap === null
      ? ''
      : gap.milliseconds === 0
        ? 'none'
        : gap.milliseconds === null
          ? 'not yet known'
          : seconds(gap.milliseconds)
  return `| ${nameOf(verdict)} | ${verdictWords(verdict, COLOURLESS).word} | ${numbers} | ${order?.kind ?? ''} | ${gone} |`
}

function details(verdict: Verdict): string[] {
  const { changes, order, gap, notes } = verdict
  const reason = reasonText(verdict)
  const lines = [
    ...(reason === '' ? [] : [`- ${markdownText(reason)}`]),
    ...(order === null ? [] : [`- ${order.kind}: ${markdownText(order.because)}`]),
    ...(gap === null ? [] : [`- gap: ${markdownText(gap.because)}`]),
    ...changes.map(({ field, from, to }) => `- ${markdownCode(field)}: ${shown(from)} → ${shown(to)}`),
    ...notes.map((note) => `- ${markdownText(note)}`),
  ]
  return folded(`${nameOf(verdict)}: ${verdictWords(verdict, COLOURLESS).word}`, lines)
}

/** `summary`: HTML-safe. */
function folded(title: string, lines: readonly string[]): string[] {
  return [[`<details><summary>${title}</summary>`, '', ...lines, '', '</details>'].join('\n')]
}

function shown(value: string | null): string {
  return value === null ? 'not there' : markdownCode(value)
}

function nameOf({ set, leaf }: Pick<Verdict, 'set' | 'leaf'>): string {
  return markdownCode(set === null || set === '' ? leaf : `${set}/${leaf}`)
}
