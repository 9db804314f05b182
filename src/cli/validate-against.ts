// graft validate --against REV: the head of a change judged as it would stand on REV; what is wrong on the way to it is
// told as warnings. Reads only.

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path/posix'

import type { Deployment } from '../daemon/open-deployment.ts'
import { compareProblems, type Problem } from '../desired/problem.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { codeQuality, githubAnnotations } from '../report/annotations.ts'
import { textOf, type Invocation } from './command.ts'
import type { Judged } from './judge-work.ts'
import { Mistake } from './mistakes.ts'

/** Commits on the way that are looked at; the newest ones. */
const MOST_ON_THE_WAY = 50

/**
 * The ledger asked is REV's, as it is for a merge or a squash of the change: what its own commits claimed on the way does
 * not count there. Where it would count (a rebase, a fast-forward), that is a warning. Throws RepositoryFault.
 */
export async function judgeAgainst(deployment: Deployment, revision: string): Promise<Judged> {
  const { commit: head } = await deployment.repository.refresh()
  const base = await deployment.repository.resolve(revision)
  const judgement = await deployment.judgeOnto(head.id, base.id)
  const tip = await tipOfChange(deployment, head, base.id)
  const { commits } = await deployment.history.along(tip)
  const known = new Set((await deployment.history.along(base.id)).commits.map(({ id }) => id))
  const way = commits.filter(({ id }) => !known.has(id) && id !== head.id)
  const warnings: Problem[] = []
  for (const { id, reads, subject } of way.slice(0, MOST_ON_THE_WAY)) {
    if (reads) continue
    const { problems } = await deployment.judge(id, null)
    const faults = problems.filter(({ severity }) => severity === 'unreadable')
    const first = faults.find(({ line }) => line !== null) ?? faults[0]
    if (first === undefined) continue
    const where = [first.file, first.line].filter((part) => part !== null).join(':')
    const what = `commit ${id.slice(0, 7)} (${subject}) on the way does not read: ${where === '' ? '' : `${where}: `}${first.message}`
    warnings.push(
      warning(what, 'the head of the change counts; where each commit shall read, rebase and correct it there'),
    )
  }
  const own = way.length === 0 || tip !== head.id ? null : await deployment.judge(head.id, null)
  for (const [leaf, problem] of own?.refused ?? []) {
    if (judgement.refused.has(leaf)) continue
    const remedy = `merge or squash the change; to land its commits one by one: ${problem.remedy}`
    warnings.push({
      ...problem,
      message: `beside its own earlier commits: ${problem.message}`,
      remedy,
      severity: 'warning',
    })
  }
  const problems = [...judgement.problems, ...warnings.toSorted(compareProblems)]
  return { judgement: { ...judgement, problems }, base: head }
}

export type Forge = 'github' | 'gitlab' | 'none'

/** Of a merge that a forge made to try the change (`refs/pull/N/merge`), the side that comes in. */
async function tipOfChange(deployment: Deployment, head: CommitFacts, base: string): Promise<string> {
  const [first, second] = head.parents
  if (first === undefined || second === undefined) return head.id
  const { commits } = await deployment.history.along(base)
  return commits.some(({ id }) => id === first) ? second : head.id
}

/** Where annotations are wanted: as asked, else where the environment says that a forge's runner runs this. Throws a Mistake. */
export function forgeFor({ own, surroundings }: Pick<Invocation, 'own' | 'surroundings'>): Forge {
  const asked = textOf(own, 'annotations')
  if (asked === 'github' || asked === 'gitlab' || asked === 'none') return asked
  if (asked !== undefined) throw new Mistake(`--annotations ${asked} is unknown`, 'use github, gitlab or none')
  const { env } = surroundings
  if (env['GITHUB_ACTIONS'] === 'true') return 'github'
  return env['GITLAB_CI'] === 'true' ? 'gitlab' : 'none'
}

/** Prints GitHub's annotations, and writes GitLab's report where a file for it was named. */
export async function annotate(problems: readonly Problem[], folder: string, invocation: Invocation): Promise<void> {
  const { own, surroundings, output } = invocation
  const path = (file: string) => (file.startsWith('/') ? file : join(folder, file))
  if (forgeFor(invocation) === 'github' && own['json'] !== true) output.print(githubAnnotations(problems, path))
  const report = textOf(own, 'codeQuality')
  if (report === undefined) return
  const entries = codeQuality(problems, path, 'deployment.yaml', (text) =>
    createHash('sha256').update(text).digest('hex'),
  )
  await writeFile(resolve(surroundings.cwd, report), `${JSON.stringify(entries, null, 2)}\n`)
}

function warning(message: string, remedy: string): Problem {
  return { file: null, line: null, column: null, text: null, message, remedy, leaf: null, severity: 'warning' }
}
