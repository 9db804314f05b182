// Opens a repository, remote or local, for everything graft reads of it. All Git work is done in a child process.

import { resolve } from 'node:path'
import { describe, readAddress, readFolder } from './address.ts'
import { openAssembly } from './assemble.ts'
import { type GitProcess, openGitProcess } from './git-process.ts'
import { DEFAULT_LIMITS, type RepositoryLimits } from './limits.ts'
import { findLocalFolder } from './local-folder.ts'
import type { Access, Credentials, Proxies, Setup, Tasks } from './protocol.ts'
import { type Repository, RepositoryFault } from './repository.ts'
import type { CommitFacts } from './snapshot.ts'
import { watchRefs } from './watch.ts'

export interface RepositoryOptions {
  /**
   * An `https://`, `http://`, `ssh://` or `file://` URL, `user@host:path`, or a folder. Credentials in a URL are taken
   * out at once.
   */
  readonly repo: string
  /** Branch, tag, full ref name or commit; left out: the remote's or the folder's HEAD branch. */
  readonly ref?: string
  /** The deployment's folder inside the repository. */
  readonly path?: string
  /** Folder for the clone, which belongs to graft alone; used for URLs only. */
  readonly cache: string
  /** Goes before credentials in the URL. Files are read again at each fetch. */
  readonly auth?: Credentials
  /** A file with certificates (PEM) of authorities to trust besides the usual ones. */
  readonly caFile?: string
  /** The private key for SSH, without a passphrase; left out: as ssh is configured on this host. */
  readonly sshKeyFile?: string
  /** The hosts whose keys are known; left out: those of the person and of this host. */
  readonly knownHostsFile?: string
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY (in either case) are taken from; none where it is left out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Commits of history to fetch at first; left out: all of it. `deepen` fetches the rest. */
  readonly depth?: number
  /** A file with the SSH private key that commits are signed with; left out: they are not signed. */
  readonly signingKeyFile?: string
  readonly limits?: Partial<RepositoryLimits>
}

const FIRST_PARENTS_AT_ONCE = [32, 2000] as const

/**
 * Reads nothing of a remote yet. Throws RepositoryFault: `unsupported` and `not-found` for what can never be read.
 * A child process starts with the first call; `close` ends it.
 */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  return (await openWithProcess(options)).repository
}

/** As `openRepository`, with the child process, for what else is done in it. */
export async function openWithProcess(
  options: RepositoryOptions,
): Promise<{ repository: Repository; git: GitProcess }> {
  const { setup, description } = await setupOf(options)
  const git = openGitProcess(setup, description)
  return { repository: build(setup, description, git), git }
}

/** What a child process has to know of a repository. Throws as `openRepository`. */
export async function setupOf(options: RepositoryOptions): Promise<{ setup: Setup; description: string }> {
  const address = readAddress(options.repo)
  const folder = readFolder(options.path)
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const ref = options.ref ?? null
  const signingKey = options.signingKeyFile ?? null
  const access: Access = {
    auth: { ...(address.kind === 'remote' ? address.auth : {}), ...options.auth },
    caFile: options.caFile ?? null,
    proxies: proxiesIn(options.env ?? {}),
    ssh: { keyFile: options.sshKeyFile ?? null, knownHostsFile: options.knownHostsFile ?? null },
  }
  if (address.kind === 'remote') {
    const source: Setup['source'] = {
      kind: 'remote',
      url: address.url,
      cache: resolve(options.cache),
      depth: options.depth ?? null,
    }
    const setup = { source, access, ref, signingKey, folder, limits }
    return { setup, description: describe(address.url, options.ref, folder) }
  }
  const local = await findLocalFolder(address.folder)
  const setup: Setup = { source: { kind: 'local', ...local }, access, ref, signingKey, folder, limits }
  return { setup, description: describe(local.worktree ?? local.gitdir, options.ref, folder) }
}

function build(setup: Setup, description: string, git: GitProcess): Repository {
  const { source, limits } = setup
  const watchers: (() => Promise<void>)[] = []

  return {
    description,
    refresh: (signal) => git.request('refresh', null, { signal }),
    async snapshot(commit, base, folder = 'required') {
      if (base?.commit?.id === commit) return base
      const assembly = openAssembly(base, limits)
      const takes = { commit, base: base?.commit?.id ?? null, folder }
      const { commit: facts, difference } = await git.request('snapshot', takes, { onPart: assembly.add })
      return assembly.finish(facts, difference)
    },
    async worktree(base) {
      if (source.kind !== 'local' || source.worktree === null) throw noWorktree(description)
      const assembly = openAssembly(base, limits)
      const have = [...(base?.entries.values() ?? [])].map(
        ({ path, oid, executable, kind }) => `${kind} ${executable ? 'x' : '-'} ${oid} ${path}`,
      )
      const { difference } = await git.request('worktree', { have }, { onPart: assembly.add })
      return assembly.finish(null, difference)
    },
    resolve: (revision) => git.request('resolve', { revision }),
    firstParents: (commit, known) => firstParents(git, commit, known),
    async ancestors(commit) {
      const commits: CommitFacts[] = []
      const onPart = (part: CommitFacts[]): void => void commits.push(...part)
      const { complete } = await git.request('ancestors', { commit }, { onPart })
      return { commits, complete }
    },
    deepen: () => git.request('deepen', null),
    commitFiles: (wish) => git.request('commit', wish),
    commitText: (commit) => git.request('commitText', { commit }),
    filesOutside: (commit) => git.request('filesOutside', { commit }),
    verify: (wish) => git.request('verify', wish),
    onHint(callback) {
      if (source.kind === 'local') watchers.push(watchRefs(source.gitdir, callback))
    },
    async close() {
      await Promise.all([git.close(), ...watchers.map((end) => end())])
    },
  }
}

/** In pieces, the first one small: mostly a known commit is near. */
async function firstParents(
  git: GitProcess,
  commit: string,
  known: ReadonlySet<string>,
): Promise<{ commits: readonly CommitFacts[]; complete: boolean }> {
  const commits: CommitFacts[] = []
  for (
    let next: string | null = commit, count: number = FIRST_PARENTS_AT_ONCE[0];
    next !== null;
    count = FIRST_PARENTS_AT_ONCE[1]
  ) {
    if (known.has(next)) break
    const piece: Tasks['firstParents']['gives'] = await git.request('firstParents', { commit: next, count })
    for (const found of piece.commits) {
      if (known.has(found.id)) return { commits, complete: true }
      commits.push(found)
    }
    if (!piece.complete) return { commits, complete: false }
    next = piece.next
  }
  return { commits, complete: true }
}

function proxiesIn(env: Readonly<Record<string, string | undefined>>): Proxies {
  const value = (name: string): string | null => env[name.toLowerCase()] || env[name] || null
  return {
    http: value('HTTP_PROXY') ?? value('ALL_PROXY'),
    https: value('HTTPS_PROXY') ?? value('ALL_PROXY'),
    none: value('NO_PROXY') ?? '',
  }
}

function noWorktree(description: string): RepositoryFault {
  return new RepositoryFault(
    'unsupported',
    `${description} has no work tree to read`,
    'Use a folder that is checked out, or leave --worktree out',
  )
}
