// What the daemon tells, as log entries with fields for machines and a message for people.

import type { News } from '../daemon/news.ts'
import type { Problem } from '../desired/problem.ts'
import { heldWords } from '../plan/removal-guard.ts'
import { changesAnything } from '../plan/verdict.ts'
import { approveCommand } from '../report/approve-words.ts'
import { plain } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import { createPalette } from '../report/palette.ts'
import { problemLines } from '../report/problem-lines.ts'
import { summary } from '../report/verdict-words.ts'
import type { LogEntry } from './log.ts'

const PLAIN = createPalette(false)

/** Null for what is not worth a line. */
export function newsEntry(news: News): LogEntry | null {
  switch (news.kind) {
    case 'commit': {
      const { id, subject, author } = news.commit
      const fields = { event: 'commit', commit: id, subject: plain(subject), author: plain(author) }
      return { level: 'info', fields, message: `commit ${id.slice(0, 7)} ${plain(subject)} (${plain(author)})` }
    }
    case 'unreadable':
    case 'not-admitted': {
      const { kind, commit, problems, kept } = news
      const stays = kept === null ? 'nothing is changed' : `${kept.slice(0, 7)} stays in force`
      const fields = { event: kind, commit: commit.id, kept, problems }
      return {
        level: 'error',
        fields,
        message: told(
          `commit ${commit.id.slice(0, 7)} ${kind === 'unreadable' ? 'does not read' : 'is not taken over'}; ${stays}`,
          problems,
        ),
      }
    }
    case 'host-problems':
      return {
        level: 'error',
        fields: { event: 'host-problems', problems: news.problems },
        message: told("this host's own files have problems; what runs stays as it is", news.problems),
      }
    case 'problems':
      return {
        level: 'warn',
        fields: { event: 'problems', problems: news.problems },
        message: told('the commit has problems', news.problems),
      }
    case 'repository-fault':
    case 'notes-fault':
    case 'engine-fault': {
      const { kind, message, remedy, retryIn } = news
      const fields = { event: kind, fault: message, remedy, retryIn }
      return { level: 'warn', fields, message: `${plain(message)}; ${plain(remedy)} (again in ${duration(retryIn)})` }
    }
    case 'repository-back':
      return { level: 'info', fields: { event: news.kind }, message: 'the repository can be read again' }
    case 'outcome': {
      const { record } = news
      const { commit, result, milliseconds, leaves } = record
      const fields = { event: 'outcome', ...record }
      const bad = leaves.find(({ message }) => message !== null)
      const why = result === 'deployed' || bad === undefined ? '' : `: ${bad.leaf}: ${plain(bad.message ?? '')}`
      const level = result === 'deployed' || result === 'superseded' ? 'info' : 'warn'
      return { level, fields, message: `commit ${commit.slice(0, 7)} ${result} after ${duration(milliseconds)}${why}` }
    }
    case 'notes-back':
      return { level: 'info', fields: { event: news.kind }, message: 'notes of outcomes arrive again' }
    case 'engine-back':
      return { level: 'info', fields: { event: news.kind }, message: 'the engine can be reached again' }
    case 'held': {
      const { leaf, generation, because } = news
      const fields = { event: 'held', leaf, generation, because }
      return { level: 'warn', fields, message: `${leaf} is held: ${plain(because)}` }
    }
    case 'health': {
      const { leaf, generation, healthy, output, ignored } = news
      const fields = { event: 'health', leaf, generation, healthy, output, ignored }
      if (healthy) return { level: 'info', fields, message: `${leaf} is healthy again` }
      const why = output === null || output === '' ? '' : `: ${plain(output)}`
      const left = ignored ? '; it is left alone (on_unhealthy: ignore)' : ''
      return { level: 'warn', fields, message: `${leaf} became unhealthy${why}${left}` }
    }
    case 'restart': {
      const { leaves } = news
      const fields = { event: 'restart', leaves }
      return { level: 'info', fields, message: `asked to restart ${leaves.join(', ')}` }
    }
    case 'removals-approved': {
      const { count, names } = news.held
      const fields = { event: 'removals-approved', commit: news.commit, count, leaves: names }
      return { level: 'warn', fields, message: `somebody approved that these are removed: ${names.join(', ')}` }
    }
    case 'removals-held': {
      const { count, limit, names, because } = news.held
      const remedy = `${approveCommand(news.commit)} lets them go`
      const fields = { event: 'removals-held', count, limit, because, leaves: names, remedy }
      const message = `${heldWords(news.held)}: ${names.join(', ')}; ${remedy}`
      return { level: 'warn', fields, message }
    }
    case 'turn': {
      const { turn, milliseconds } = news
      const { plan } = turn
      const fields = {
        event: 'turn',
        commit: plan.commit,
        milliseconds,
        tables: plan.tables.length,
        held: plan.removalHeld,
      }
      return {
        level: changesAnything(plan) ? 'info' : 'debug',
        fields,
        message: `looked in ${duration(milliseconds)}: ${summary(plan.verdicts)}`,
      }
    }
  }
}

function told(head: string, problems: readonly Problem[]): string {
  return [head, ...problemLines(problems, { palette: PLAIN }).filter((line) => line !== '')].join('\n    ')
}
