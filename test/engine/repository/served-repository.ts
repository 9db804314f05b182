// A repository with a work tree, its bare copy on a real Git server, and what tests do with the two.

import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import { type GitServer, type Interference, startGitServer } from '../../../src/demo/git-server.ts'
import { openRepository, type RepositoryOptions } from '../../../src/repository/open.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { type FrontOptions, type FrontServer, startFrontServer } from './front-server.ts'

export interface Served {
  /** Holds `work` (with a work tree), `served.git` and, once something was fetched, `cache`. */
  readonly sandbox: Sandbox
  readonly server: GitServer
  /** What the server does to each request (`GET /path`) from now on. */
  interfere(how: (line: string) => Interference): void
  /** Opens `served.git`; closed at the end of the test. */
  open(options?: Partial<RepositoryOptions>): Promise<Repository>
  /** A server in front of it, closed at the end of the test. */
  front(options: FrontOptions): Promise<FrontServer>
  /** Commits in `work` and pushes main, by force; the commit's id. */
  push(files: Readonly<Record<string, string | null>>, message?: string): string
  head(): string
  /** Paths of the packs in the clone. */
  packs(): string[]
  atEnd(end: () => Promise<void>): void
  end(): Promise<void>
}

export async function serveRepository(
  files: Readonly<Record<string, string | Uint8Array>>,
  account?: { readonly username: string; readonly password: string },
): Promise<Served> {
  const sandbox = openSandbox()
  makeRepository(sandbox, 'work')
  sandbox.commit('work', files, 'first')
  sandbox.git('', 'clone', '-q', '--bare', 'work', 'served.git')
  sandbox.git('work', 'remote', 'add', 'origin', sandbox.path('served.git'))
  let interference: (line: string) => Interference = () => null
  const server = await startGitServer({
    folder: sandbox.folder,
    interfere: ({ method, url }) => interference(`${method} ${url}`),
    ...(account === undefined ? {} : { account }),
  })
  const ends = [async () => sandbox.remove(), () => server.stop()]
  return {
    sandbox,
    server,
    interfere: (how) => void (interference = how),
    async open(options = {}) {
      const repository = await openRepository({
        repo: `${server.url}/served.git`,
        cache: sandbox.path('cache'),
        ...options,
      })
      ends.push(() => repository.close())
      return repository
    },
    async front(options) {
      const started = await startFrontServer(options)
      ends.push(() => started.close())
      return started
    },
    push(changed, message) {
      const id = sandbox.commit('work', changed, message)
      sandbox.git('work', 'push', '-q', '--force', 'origin', 'main')
      return id
    },
    head: () => sandbox.git('work', 'rev-parse', 'HEAD'),
    packs() {
      const clone = readdirSync(sandbox.path('cache')).find((name) => name.startsWith('clone-')) ?? 'none'
      const folder = sandbox.path('cache', clone, 'objects/pack')
      return readdirSync(folder)
        .filter((name) => name.endsWith('.pack'))
        .map((name) => `${folder}/${name}`)
    },
    atEnd: (end) => void ends.push(end),
    async end() {
      for (const end of ends.toReversed()) await end()
    },
  }
}

/** The next refresh works, and the whole folder can be read. */
export async function expectRecovery(served: Served, repository: Repository): Promise<void> {
  served.interfere(() => null)
  const { commit } = await repository.refresh()
  expect(commit.id).toBe(served.head())
  expect((await repository.snapshot(commit.id)).entries.size).toBeGreaterThan(1)
}
