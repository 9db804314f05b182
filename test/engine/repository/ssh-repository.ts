// A repository behind a real SSH server, and what tests do with the two.

import { openRepository, type RepositoryOptions } from '../../../src/repository/open.ts'
import type { CommitWish, Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import type { SshServer } from './ssh-server.ts'

/** A path that a shell would take apart, and a URL too. */
export const SERVED = "it's $(here)! 100%.git"

export interface SshServed {
  /** Holds `work` (with a work tree), the served repository and, once something was fetched, `cache`. */
  readonly sandbox: Sandbox
  /** The address of a repository, the served one where no path is given. */
  url(at?: { readonly path?: string; readonly host?: string; readonly server?: SshServer }): string
  /** Opens the served repository with the keys of its server (or of `at`); closed at the end of the test. */
  open(options?: Partial<RepositoryOptions>, at?: SshServer): Promise<Repository>
  /** Commits in `work` and pushes main, by force; the commit's id. */
  push(files: Readonly<Record<string, string | null>>): string
  end(): Promise<void>
}

export function serveOverSsh(server: SshServer): SshServed {
  const sandbox = openSandbox()
  makeRepository(sandbox, 'work')
  sandbox.commit('work', { 'site/deployment.yaml': 'name: shop\n', 'site/a/set.yaml': 'x: 1\n' }, 'first')
  sandbox.git('', 'clone', '-q', '--bare', 'work', SERVED)
  sandbox.git('work', 'remote', 'add', 'origin', sandbox.path(SERVED))
  const opened: Repository[] = []
  const url: SshServed['url'] = ({ path = sandbox.path(SERVED), host = '127.0.0.1', server: at = server } = {}) =>
    `ssh://${at.user}@${host}:${at.port}${path.split('/').map(encodeURIComponent).join('/')}`
  return {
    sandbox,
    url,
    async open(options = {}, at = server) {
      const repository = await openRepository({
        repo: url({ server: at }),
        path: 'site',
        cache: sandbox.path('cache'),
        sshKeyFile: at.keyFile,
        knownHostsFile: at.knownHostsFile,
        ...options,
      })
      opened.push(repository)
      return repository
    },
    push(files) {
      const id = sandbox.commit('work', files)
      sandbox.git('work', 'push', '-q', '--force', 'origin', 'main')
      return id
    },
    async end() {
      await Promise.all(opened.map((repository) => repository.close()))
      sandbox.remove()
    },
  }
}

export function wishFor(onto: string, text: string, branch: string | null = null): CommitWish {
  return {
    onto,
    changes: [{ path: 'a/set.yaml', content: Buffer.from(text) }],
    message: 'A change',
    author: { name: 'Ann', email: 'ann@example.org' },
    branch,
    push: false,
  }
}
