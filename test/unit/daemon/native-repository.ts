// A repository for tests that reads a temporary folder with native Git: what the daemon needs of one, without the child
// process that the real one lives in.

import { RepositoryFault, type Repository } from '../../../src/repository/repository.ts'
import type { CommitFacts } from '../../../src/repository/snapshot.ts'
import { openLocalSource } from '../../../src/repository/local-source.ts'
import { takeVerify } from '../../../src/repository/verify-history.ts'
import { snapshotOf } from '../desired/snapshot-of.ts'
import { makeRepository, openSandbox, type Sandbox } from '../repository/git-sandbox.ts'

export interface NativeRepository extends Repository {
  readonly sandbox: Sandbox
  /** Writes leaves by name (null removes) and commits. */
  commit(leaves: Readonly<Record<string, string | null>>, message?: string): string
  git(...args: string[]): string
  /** How many commits were read whole since the last question. */
  snapshotsTaken(): number
  /** The next calls fail, until it is given null. */
  fail(fault: RepositoryFault | null): void
  /** The history ends below this commit, as in a shallow clone; null: it is whole. */
  cutBelow(commit: string | null): void
  hint(): void
}

export function nativeRepository(deployment = 'name: shop\nformat: 1\n'): NativeRepository {
  const sandbox = openSandbox()
  makeRepository(sandbox, '.')
  const git = (...args: string[]) => sandbox.git('.', ...args)
  let taken = 0
  let fault: RepositoryFault | null = null
  let cut: string | null = null
  const hints: (() => void)[] = []
  sandbox.commit('.', { 'deployment.yaml': deployment }, 'Begin')

  const list = (...args: string[]): CommitFacts[] =>
    git('log', '--format=%H%x00%P%x00%an%x00%ct%x00%s', ...args)
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [id = '', parents = '', author = '', time = '', subject = ''] = line.split('\0')
        return { id, parents: parents.split(' ').filter(Boolean), subject, author, time: Number(time) * 1000 }
      })
  const facts = (id: string): CommitFacts => {
    const [commit] = list('-1', id)
    if (commit === undefined) throw new RepositoryFault('missing-ref', `no ${id}`, '')
    return commit
  }
  const walk = (...args: string[]) => {
    const commits = list(...args)
    const end = commits.findIndex(({ id }) => id === cut)
    return { commits: end === -1 ? commits : commits.slice(0, end + 1), complete: end === -1 }
  }
  const whole = <T>(work: () => T): Promise<T> =>
    fault === null ? Promise.resolve().then(work) : Promise.reject(fault)

  return {
    sandbox,
    git,
    description: 'native',
    commit: (leaves, message) =>
      sandbox.commit(
        '.',
        Object.fromEntries(
          Object.entries(leaves).map(([name, yaml]) => [name.includes('.') ? name : `${name}.yaml`, yaml]),
        ),
        message,
      ),
    snapshotsTaken() {
      const count = taken
      taken = 0
      return count
    },
    fail: (next) => (fault = next),
    cutBelow: (commit) => (cut = commit),
    hint: () => hints.forEach((callback) => callback()),
    refresh: () => whole(() => ({ commit: facts('HEAD'), ref: 'refs/heads/main' })),
    resolve: (revision) => whole(() => facts(revision)),
    snapshot: (commit, base) =>
      whole(() => {
        taken++
        const paths = git('ls-tree', '-r', '--name-only', commit).split('\n').filter(Boolean)
        const files = Object.fromEntries(paths.map((path) => [path, `${git('show', `${commit}:${path}`)}\n`]))
        return snapshotOf(files, { commit: facts(commit), ...(base === undefined ? {} : { base }) })
      }),
    worktree: () => Promise.reject(new RepositoryFault('unsupported', 'no work tree', '')),
    firstParents: (commit, known) =>
      whole(() => {
        const line = walk('--first-parent', commit)
        const end = line.commits.findIndex(({ id }) => known.has(id))
        return end === -1 ? line : { commits: line.commits.slice(0, end), complete: true }
      }),
    ancestors: (commit) => whole(() => walk(commit)),
    deepen: () =>
      whole(() => {
        cut = null
        return true
      }),
    commitFiles: () => Promise.reject(new RepositoryFault('refused', 'nothing is committed here', '')),
    commitText: (commit) =>
      whole(() => {
        const format = '--format=%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct'
        const [an = '', ae = '', at = '', cn = '', ce = '', ct = ''] = git('log', '-1', format, commit).split('\0')
        const message = git('log', '-1', '--format=%B', commit).trim()
        const author = { name: an, email: ae, time: Number(at) * 1000 }
        return {
          id: commit,
          parents: facts(commit).parents,
          message,
          author,
          committer: { name: cn, email: ce, time: Number(ct) * 1000 },
        }
      }),
    filesOutside: () => Promise.resolve(0),
    verify: (wish) =>
      takeVerify(openLocalSource(sandbox.path('.git'), sandbox.folder, null), wish, new AbortController().signal),
    onHint: (callback) => void hints.push(callback),
    close: () => Promise.resolve(),
  }
}
