// Everything a command needs of one deployment, opened from the settings: the repository, its history, the host's own
// files, and the judgement over a commit that all commands share.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { removalLimit } from '../desired/policy-judge.ts'
import type { Problem } from '../desired/problem.ts'
import { createReader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import { openRepository } from '../repository/open.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { accept, type Acceptance } from './accept.ts'
import { createHistoryIndex, type HistoryIndex } from './history-index.ts'
import { readHostFiles, type HostFiles } from './host-files.ts'
import { createLastTip, type LastTip } from './last-tip.ts'
import type { Wish } from './reconcile.ts'
import type { Settings } from './settings.ts'
import { openStateFolder, type StateFolder } from './state-folder.ts'

export interface Deployment {
  readonly settings: Settings & { readonly repo: string; readonly state: string }
  readonly state: StateFolder
  readonly repository: Repository
  readonly history: HistoryIndex
  readonly lastTip: LastTip
  hostFiles(): Promise<HostFiles>
  /** Judges a commit; `host` null: without the host's own values, as in a pull request. */
  judge(commit: string, host: HostFiles | null): Promise<Judgement>
  /** Judges what lies in the work tree, against the history of `head`. */
  judgeWorktree(head: string | null, host: HostFiles | null): Promise<Judgement>
  /** The wish that an accepted judgement makes. */
  wish(judgement: Accepted, host: HostFiles, confirmed: boolean): Wish
  close(): Promise<void>
}

export interface Judgement extends Acceptance {
  readonly commit: CommitFacts | null
}

export type Accepted = Judgement & { readonly tree: Tree }

export async function openDeployment(
  settings: Deployment['settings'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Deployment> {
  const state = await openStateFolder(settings.state)
  const folder = state.repository(settings.repo, settings.path ?? '')
  const repository = await openRepository({
    repo: settings.repo,
    cache: join(folder, 'clone'),
    env,
    auth: {
      ...(settings.git_username === undefined ? {} : { username: settings.git_username }),
      ...(settings.git_password_file === undefined ? {} : { passwordFile: settings.git_password_file }),
      ...(settings.git_token_file === undefined ? {} : { tokenFile: settings.git_token_file }),
      ...(env['GRAFT_GIT_TOKEN'] === undefined ? {} : { token: env['GRAFT_GIT_TOKEN'] }),
      ...(env['GRAFT_GIT_PASSWORD'] === undefined ? {} : { password: env['GRAFT_GIT_PASSWORD'] }),
    },
    ...(settings.ref === undefined ? {} : { ref: settings.ref }),
    ...(settings.path === undefined ? {} : { path: settings.path }),
    ...(settings.git_ca_file === undefined ? {} : { caFile: settings.git_ca_file }),
  })
  const history = createHistoryIndex(repository, createReader(), join(folder, 'history.jsonl'))
  const reader = createReader()
  const bound = createBinding(join(folder, 'bound.json'))
  let snapshot: Snapshot | undefined

  async function judge(next: Snapshot, base: string | null, host: HostFiles | null): Promise<Judgement> {
    snapshot = next
    const acceptance = await accept(next, base, {
      reader,
      history,
      policy: (host ?? (await readHostFiles(settings, settings.state))).policy,
      allowPrivileged: settings.allow_privileged,
      hostVariables: host === null ? null : host.variables,
      deepen: () => repository.deepen(),
    })
    const { tree } = acceptance
    const unbound = tree === null || host === null ? null : await bound.problem(tree)
    if (unbound === null) return { ...acceptance, commit: next.commit }
    return { ...acceptance, tree: null, problems: [...acceptance.problems, unbound], commit: next.commit }
  }

  return {
    settings,
    state,
    repository,
    history,
    lastTip: createLastTip(join(folder, 'tip.json'), settings.ref ?? null),
    hostFiles: () => readHostFiles(settings, settings.state),
    async judge(commit, host) {
      return judge(await repository.snapshot(commit, snapshot), commit, host)
    },
    async judgeWorktree(head, host) {
      return judge(await repository.worktree(snapshot), head, host)
    },
    wish: ({ tree, refused, departed }, host, confirmed) => ({
      tree,
      refused,
      departed,
      removals: { limit: (managed) => removalLimit(host.policy, tree, managed), confirmed },
      bind: () => bound.keep(tree),
    }),
    close: () => repository.close(),
  }
}

/** Name and prefix are bound at the first run: another one would leave everything that runs behind. */
function createBinding(file: string): {
  problem(tree: Tree): Promise<Problem | null>
  keep(tree: Tree): Promise<void>
} {
  let known: { name: string; prefix: string } | null | undefined
  async function load(): Promise<{ name: string; prefix: string } | null> {
    if (known === undefined) {
      const text = await readFile(file, 'utf8').catch(() => null)
      known = text === null ? null : (JSON.parse(text) as { name: string; prefix: string })
    }
    return known
  }
  return {
    async problem(tree) {
      const first = await load()
      if (first === null || (first.name === tree.name && first.prefix === tree.prefix)) return null
      const [key, was, is] =
        first.name === tree.name ? ['prefix', first.prefix, tree.prefix] : ['name', first.name, tree.name]
      return {
        file: 'deployment.yaml',
        line: null,
        column: null,
        text: `${key}: ${is}`,
        message: `this deployment was started with ${key} "${was}" on this host, and that cannot change while its containers run`,
        remedy: `write ${key}: ${was}, or remove the deployment's containers from the engine and then delete ${file}`,
        leaf: null,
        severity: 'unreadable',
      }
    },
    async keep(tree) {
      if ((await load()) !== null) return
      const beside = `${file}.new`
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      known = { name: tree.name, prefix: tree.prefix }
      await writeFile(beside, JSON.stringify(known))
      await rename(beside, file)
    },
  }
}
