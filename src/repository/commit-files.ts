// Commits files to the branch that is deployed, in a person's own repository or on a server. The branch moves in one
// step from the commit that the contents were made from, or not at all.

import { factsOf, parseCommit } from './commit.ts'
import { makeCommit } from './make-commit.ts'
import type { Tasks } from './protocol.ts'
import { RepositoryFault } from './repository.ts'
import { whyRefused } from './safe-name.ts'
import type { Source } from './source.ts'

/** Throws RepositoryFault: `moved`, `refused`, and whatever reading and pushing end with. */
export async function takeCommit(
  source: Source,
  folder: string,
  { onto, changes, message, author }: Tasks['commit']['takes'],
  signal: AbortSignal,
): Promise<Tasks['commit']['gives']> {
  const { commit: tip, ref } = await source.refresh(signal)
  if (ref === null || !ref.startsWith('refs/heads/')) {
    throw refused(`${ref ?? 'a fixed commit'} is deployed, and only a branch takes commits`, 'Name a branch with --ref')
  }
  if (tip.id !== onto) throw movedOn(ref)
  const who = author ?? source.author()
  if (who === null) {
    throw refused(
      'it is not known who commits',
      'Say it once with git config --global user.name and user.email, or with --author "NAME <EMAIL>"',
    )
  }
  const rooted = changes.map(({ path, content }) => ({ path: folder === '' ? path : `${folder}/${path}`, content }))
  for (const { path } of rooted) checkPath(path)
  await source.admit(ref, rooted)
  const time = Date.now()
  const objects = makeCommit(await source.objects(), onto, rooted, { message, author: who, time })
  const commit = objects.at(-1)
  if (commit === undefined) throw refused('there is nothing to commit', 'Change something first')
  const facts = factsOf(parseCommit(commit.oid, Buffer.from(commit.content)))
  const { subject } = facts
  await source.land({ ref, from: onto, to: commit.oid, objects, changes: rooted, author: who, subject, time }, signal)
  return facts
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
