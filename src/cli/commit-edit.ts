// Commits an edit that is made anew from the newest commit as often as somebody else is faster.

import type { Deployment } from '../daemon/open-deployment.ts'
import { signatureRules } from '../daemon/signature-rules.ts'
import { RepositoryFault, type FileChange, type Person } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { textOf, type Given } from './command.ts'
import { Mistake } from './mistakes.ts'
import type { Surroundings } from './surroundings.ts'

export interface Edit {
  /** What is to change; nothing: it is so already. Throws a Mistake where it cannot be done. */
  readonly change: (snapshot: Snapshot, tip: CommitFacts) => Promise<readonly FileChange[]>
  /** A function is asked after `change`. */
  readonly message: string | (() => string)
  readonly author: Person | null
  /** See `CommitWish`. */
  readonly branch?: string | null
  readonly push?: boolean
}

const ATTEMPTS = 5

/** The new commit; null where there was nothing to commit. Throws RepositoryFault. */
export async function commitEdit(deployment: Deployment, edit: Edit): Promise<CommitFacts | null> {
  const { repository } = deployment
  for (let attempt = 1; ; attempt++) {
    const { commit: tip } = await repository.refresh()
    const changes = await edit.change(await repository.snapshot(tip.id), tip)
    if (changes.length === 0) return null
    if (edit.branch == null) checkSigned(deployment)
    try {
      const { author, branch = null, push = false } = edit
      const message = typeof edit.message === 'string' ? edit.message : edit.message()
      return await repository.commitFiles({ onto: tip.id, changes, message, author, branch, push })
    } catch (error) {
      const again = error instanceof RepositoryFault && error.kind === 'moved' && attempt < ATTEMPTS
      if (!again) throw error
    }
  }
}

/** On the branch that is deployed, a commit that this host would refuse stands in the way of all that follow. */
function checkSigned({ settings }: Deployment): void {
  const { mode } = signatureRules(settings, settings.state)
  if (mode === 'off' || settings.signing_key_file !== undefined) return
  throw new Mistake(
    'this host takes over signed commits only, and graft has no key to sign this one with',
    'name an SSH private key with --signing-key-file, or make the change with git commit -S',
  )
}

/** `--author "NAME <EMAIL>"`, else Git's variables; null leaves it to Git's configuration. */
export function authorOf(own: Given, env: Surroundings['env']): Person | null {
  const text = textOf(own, 'author')
  if (text === undefined) {
    const [name, email] = [env['GIT_AUTHOR_NAME'], env['GIT_AUTHOR_EMAIL']]
    return name && email ? { name, email } : null
  }
  const [, name = '', email = ''] = /^\s*([^<>]*?)\s*<([^<>\s]+)>\s*$/.exec(text) ?? []
  if (name === '' || email === '') {
    throw new Mistake(`--author ${text} is no author`, 'write for example --author "Ann Example <ann@example.org>"')
  }
  return { name, email }
}
