// Commits files to the branch that is deployed or to a new one, in a person's own repository or on a server. The branch
// moves in one step from the commit that the contents were made from, or not at all.

import { whyNoBranch } from './branch-name.ts'
import { factsOf, parseCommit } from './commit.ts'
import { makeCommit } from './make-commit.ts'
import { missingCommit } from './missing-ref.ts'
import type { Tasks } from './protocol.ts'
import { RepositoryFault } from './repository.ts'
import { showPath, whyRefused } from './safe-name.ts'
import type { Signer } from './signing-key.ts'
import type { Source } from './source.ts'

/** Throws RepositoryFault: `moved`, `refused`, and whatever reading and pushing end with. */
export async function takeCommit(
  source: Source,
  folder: string,
  { onto, changes, message, author, branch, push }: Tasks['commit']['takes'],
  signal: AbortSignal,
  sign: Signer | null = null,
): Promise<Tasks['commit']['gives']> {
  const { ref, from, apart } = await landingPlace(source, onto, branch, signal)
  const who = author ?? source.author()
  if (who === null) {
    throw refused(
      'it is not known who commits',
      'Say it once with git config --global user.name and user.email, or with --author "NAME <EMAIL>"',
    )
  }
  const rooted = changes.map((change) => (folder === '' ? change : { ...change, path: `${folder}/${change.path}` }))
  for (const { path } of rooted) checkPath(path)
  await source.admit({ ref, from, changes: rooted, apart, push })
  const time = Date.now()
  const objects = makeCommit(await source.objects(), onto, rooted, { message, author: who, time, sign })
  const commit = objects.at(-1)
  if (commit === undefined) throw refused('there is nothing to commit', 'Change something first')
  const facts = factsOf(parseCommit(commit.oid, Buffer.from(commit.content)))
  const { subject } = facts
  const landing = { ref, from, to: commit.oid, objects, changes: rooted, apart, push, author: who, subject, time }
  await source.land(landing, signal)
  return facts
}

/** The branch, and where it must still be when the commit lands; `from` null: it is made. */
async function landingPlace(
  source: Source,
  onto: string,
  branch: string | null,
  signal: AbortSignal,
): Promise<{ ref: string; from: string | null; apart: boolean }> {
  const { commit: tip, ref: deployed } = await source.refresh(signal)
  const ref = branch === null ? deployed : `refs/heads/${branch.replace(/^refs\/heads\//, '')}`
  if (ref === null || !ref.startsWith('refs/heads/')) {
    throw refused(
      `${deployed ?? 'a fixed commit'} is deployed, and only a branch takes commits`,
      'Name a branch: to deploy with --ref, or a new one with --branch',
    )
  }
  if (ref === deployed) {
    if (tip.id !== onto) throw movedOn(ref)
    return { ref, from: onto, apart: false }
  }
  const name = ref.slice('refs/heads/'.length)
  const why = whyNoBranch(name)
  if (why !== null) throw refused(`no branch can be called “${showPath(name)}”: ${why}`, 'Choose another name')
  if (!(await source.objects()).store.has(onto)) throw missingCommit(onto, 'the repository')
  const there = await source.branchTip(ref, signal)
  if (there !== null && there !== onto) {
    throw refused(
      `the branch ${name} is there already, at commit ${there.slice(0, 10)}`,
      'Choose another name, or delete that branch first',
    )
  }
  return { ref, from: there, apart: true }
}

/** The branch is no longer where the contents were made from. */
export function movedOn(ref: string): RepositoryFault {
  const branch = ref.replace(/^refs\/heads\//, '')
  return new RepositoryFault('moved', `somebody else committed to ${branch} meanwhile`, 'Do it again')
}

function checkPath(path: string): void {
  for (const [depth, name] of path.split('/').entries()) {
    const why = name === '' ? 'it has an empty part' : whyRefused(name, depth)
    if (why !== null) throw refused(`${path} cannot be committed: ${why}`, 'Correct the path')
  }
}

function refused(message: string, remedy: string): RepositoryFault {
  return new RepositoryFault('refused', message, remedy)
}
