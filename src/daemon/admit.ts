// Whether a new tip may be taken over at all, before a file of it is read: by its signatures, and by what was accepted
// before it. Nothing of this comes from the repository.

import type { Problem } from '../desired/problem.ts'
import type { Repository } from '../repository/repository.ts'
import type { KeyProblem, SignedCommit } from '../repository/signature-verdict.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { SignatureRules } from './signature-rules.ts'

export interface Admission {
  readonly admitted: boolean
  /** Why not, and warnings. */
  readonly problems: readonly Problem[]
}

export interface AdmitOptions {
  readonly repository: Repository
  readonly rules: SignatureRules
  /** The file of trusted keys; null where it cannot be read, which is told elsewhere. */
  readonly keys: Uint8Array | null
  /** The commit that was accepted last; null: none was. */
  readonly accepted: string | null
  /** Where that is kept, for what a person can do. */
  readonly acceptedFile: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Throws RepositoryFault. */
export async function admit(tip: CommitFacts, options: AdmitOptions): Promise<Admission> {
  const { repository, rules, keys, accepted, now } = options
  const { mode, forwardOnly } = rules
  if (mode === 'off' && (!forwardOnly || accepted === null)) return { admitted: true, problems: [] }
  if (mode !== 'off' && keys === null) return { admitted: false, problems: [] }
  const wish = { tip: tip.id, since: accepted, mode, forward: forwardOnly, keys: mode === 'off' ? null : keys, now }
  const verified = await repository.verify(wish)
  const { contains, complete, good, told, keyProblems } = verified
  const problems = [
    ...keyProblems.map((problem) => ofKeys(problem, rules.keysFile)),
    ...told.map((signed) => ofSignature(signed)),
    ...(complete ? [] : [cutShort(accepted ?? '')]),
    ...(complete && !contains ? [rewritten(tip, accepted ?? '', options)] : []),
  ]
  return { admitted: good && contains && complete, problems }
}

function ofSignature({ commit, verdict }: SignedCommit): Problem {
  const name = `commit ${commit.id.slice(0, 7)}`
  if (verdict.kind !== 'good') return problem(`${name} ${verdict.words}`, verdict.remedy, 'unreadable')
  return problem(
    `${name} is signed by ${verdict.signer}, and its committer is somebody else`,
    "it is taken over; where the name is right, add the committer's address to the principals of the key",
    'warning',
  )
}

function ofKeys({ line, message, remedy, fatal }: KeyProblem, file: string): Problem {
  const column = line === null ? null : 1
  return { ...problem(message, remedy, fatal ? 'unreadable' : 'warning'), file, line, column }
}

function rewritten(tip: CommitFacts, accepted: string, { acceptedFile }: AdmitOptions): Problem {
  return problem(
    `commit ${tip.id.slice(0, 7)} does not contain ${accepted.slice(0, 7)}, which was accepted before it, and forward_only is set`,
    `push a commit that contains both (git merge ${accepted.slice(0, 7)}); where the history was rewritten on purpose, delete ${acceptedFile} and let graft look again`,
    'unreadable',
  )
}

function cutShort(accepted: string): Problem {
  return problem(
    `what came after commit ${accepted.slice(0, 7)} cannot be told: the clone is shallow and ends before the history does`,
    'fetch the whole history: git fetch --unshallow, or fetch-depth: 0 where a CI job checks the repository out',
    'unreadable',
  )
}

function problem(message: string, remedy: string, severity: Problem['severity']): Problem {
  return { file: null, line: null, column: null, text: null, message, remedy, leaf: null, severity }
}
