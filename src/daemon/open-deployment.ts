// Everything a command needs of one deployment, opened from the settings: the repository, its history, the host's own
// files, and the judgement over a commit that all commands share.

import { join } from 'node:path'

import { UNSEEN } from '../desired/host-paths.ts'
import { removalLimit } from '../desired/policy-judge.ts'
import { compareProblems, type Problem } from '../desired/problem.ts'
import { createReader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import { systemClock } from '../apply/clock.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import { isRemoteAddress } from '../repository/address.ts'
import { openNotes } from '../repository/notes.ts'
import { openWithProcess, type RepositoryOptions } from '../repository/open.ts'
import { RepositoryFault, type Repository } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { accept, type Acceptance } from './accept.ts'
import { createBinding, type Bound } from './binding.ts'
import { createAcceptedCommits, type AcceptedCommits } from './accepted-commits.ts'
import { admit } from './admit.ts'
import { createHistoryIndex, type HistoryIndex } from './history-index.ts'
import { readHostFiles, type HostFiles } from './host-files.ts'
import { readLimits, repositoryLimits } from './limit-settings.ts'
import { createLastTip, type LastTip } from './last-tip.ts'
import { lookAtPaths, ownFiles } from './look-at-paths.ts'
import { createPathWatch } from './path-watch.ts'
import { hostName, notesMode } from './notes-settings.ts'
import { openOutcomeBook, type OutcomeBook, type OutcomesOf } from './outcomes.ts'
import type { Wish } from './reconcile.ts'
import { createSecretOpener, redactorOf, secretPlaces } from './secrets/open-secrets.ts'
import type { Settings } from './settings.ts'
import { signatureRules } from './signature-rules.ts'
import { openStateFolder, type StateFolder } from './state-folder.ts'

export interface Deployment {
  readonly settings: Settings & { readonly repo: string; readonly state: string }
  readonly state: StateFolder
  readonly repository: Repository
  readonly history: HistoryIndex
  readonly lastTip: LastTip
  readonly accepted: AcceptedCommits
  /** This host's name in what it tells of commits. */
  readonly host: string
  /** Where this host tells what came of commits. */
  readonly book: OutcomeBook
  /** What hosts told of commits, with what the server has, where it answers; never throws a RepositoryFault. */
  readonly outcomes: OutcomesOf
  hostFiles(): Promise<HostFiles>
  /** Judges a commit; `host` null: without the host's own values, as in a pull request. */
  judge(commit: string, host: HostFiles | null): Promise<Judgement>
  /**
   * Judges a commit that is to be taken over: its signatures and what was accepted before it first. With `host`, nothing
   * is read of one that is not admitted.
   */
  judgeTip(tip: CommitFacts, host: HostFiles | null): Promise<Judgement>
  /** What stays in force where a tip cannot be taken over and nothing is in force yet; null for nothing. */
  lastGood(tip: CommitFacts, host: HostFiles | null): Promise<Accepted | null>
  /** Judges a commit against the history of another one, as if it were merged there; without the host's own values. */
  judgeOnto(commit: string, base: string): Promise<Judgement>
  /** Judges what lies in the work tree, against the history of `head`. */
  judgeWorktree(head: string | null, host: HostFiles | null): Promise<Judgement>
  /** The wish that an accepted judgement makes. */
  wish(judgement: Accepted, host: HostFiles, confirmed: boolean): Wish
  /** Name and prefix that are bound on this host; null before the first run. */
  bound(): Promise<Bound | null>
  /** Lets them go: whatever comes next may have others. */
  unbind(): Promise<void>
  close(): Promise<void>
}

export interface Judgement extends Acceptance {
  readonly commit: CommitFacts | null
  /** False where signatures, or what was accepted before, stand against it. */
  readonly admitted: boolean
}

export type Accepted = Judgement & { readonly tree: Tree }

export async function openDeployment(
  settings: Deployment['settings'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Deployment> {
  const state = await openStateFolder(settings.state)
  const folder = state.repository(settings.repo, settings.path ?? '')
  const options: RepositoryOptions = {
    repo: settings.repo,
    cache: join(folder, 'clone'),
    env,
    limits: repositoryLimits(settings.limits),
    auth: {
      ...(settings.git_username === undefined ? {} : { username: settings.git_username }),
      ...(settings.git_password_file === undefined ? {} : { passwordFile: settings.git_password_file }),
      ...(settings.git_token_file === undefined ? {} : { tokenFile: settings.git_token_file }),
      ...(env['GRAFT_GIT_TOKEN'] === undefined ? {} : { token: env['GRAFT_GIT_TOKEN'] }),
      ...(env['GRAFT_GIT_PASSWORD'] === undefined ? {} : { password: env['GRAFT_GIT_PASSWORD'] }),
    },
    ...(settings.ref === undefined ? {} : { ref: settings.ref }),
    ...(settings.path === undefined ? {} : { path: settings.path }),
    ...(settings.git_ssh_key_file === undefined ? {} : { sshKeyFile: settings.git_ssh_key_file }),
    ...(settings.git_known_hosts_file === undefined ? {} : { knownHostsFile: settings.git_known_hosts_file }),
    ...(settings.git_ca_file === undefined ? {} : { caFile: settings.git_ca_file }),
    ...(settings.signing_key_file === undefined ? {} : { signingKeyFile: settings.signing_key_file }),
  }
  const { repository, git } = await openWithProcess(options)
  const hostIs = hostName(settings)
  const by = { name: `graft on ${hostIs}`, email: `graft@${hostIs}` }
  const notes = await openNotes(options, join(folder, 'notes'), by, git)
  const book = openOutcomeBook(notes, notesMode(settings, options.auth ?? {}), systemClock)
  const limits = readLimits(settings.limits)
  const history = createHistoryIndex(repository, createReader(limits), join(folder, 'history.jsonl'), { limits })
  const reader = createReader(limits)
  const bound = createBinding(join(folder, 'bound.json'))
  const rules = signatureRules(settings, settings.state)
  const accepted = createAcceptedCommits(join(folder, 'accepted.json'), settings.ref ?? null)
  const secrets = createSecretOpener({
    ...secretPlaces(settings, settings.state),
    hostKey: () => state.hostKey(),
    redactor: redactorOf(settings),
  })
  let snapshot: Snapshot | undefined

  const paths = createPathWatch(async (tree) => {
    const address = await resolveEngineUrl(env, settings.engine).catch(() => null)
    return address === null ? UNSEEN : lookAtPaths(tree, { engine: address.url, own: ownFiles(settings, env) })
  })

  async function judge(next: Snapshot, base: string | null, host: HostFiles | null): Promise<Judgement> {
    snapshot = next
    const acceptance = await accept(next, base, {
      reader,
      history,
      policy: (host ?? (await readHostFiles(settings, settings.state))).policy,
      allowPrivileged: settings.allow_privileged,
      ...(host === null ? {} : { look: paths.look }),
      hostVariables: host === null ? null : host.variables,
      deepen: () => repository.deepen(),
    })
    const { tree } = acceptance
    const unbound = tree === null || host === null ? null : await bound.problem(tree)
    const opened = tree === null || host === null ? acceptance : await withSecrets({ ...acceptance, tree })
    const judged = { ...opened, commit: next.commit, admitted: true }
    return unbound === null ? judged : { ...judged, tree: null, problems: [...acceptance.problems, unbound] }
  }

  /** Without the host there are no keys; what a leaf cannot have holds that leaf. */
  async function withSecrets(acceptance: Acceptance & { readonly tree: Tree }): Promise<Acceptance> {
    const { tree, held } = await secrets.open(acceptance.tree)
    if (held.size === 0) return { ...acceptance, tree }
    // What the ledger or the policy refuses is refused first.
    const more = [...held].filter(([leaf]) => !acceptance.refused.has(leaf))
    const problems = [...acceptance.problems, ...more.map(([, problem]) => problem)].toSorted(compareProblems)
    return { ...acceptance, tree, problems, refused: new Map([...acceptance.refused, ...more]) }
  }

  const judgeCommit = async (commit: string, host: HostFiles | null): Promise<Judgement> =>
    judge(await repository.snapshot(commit, snapshot), commit, host)

  async function judgeTip(tip: CommitFacts, host: HostFiles | null): Promise<Judgement> {
    const { trustedKeys: keys } = host ?? (await readHostFiles(settings, settings.state))
    const { admitted, problems } = await admit(tip, {
      repository,
      rules,
      keys,
      accepted: await accepted.read(),
      acceptedFile: accepted.file,
      now: Date.now(),
    })
    if (!admitted && host !== null) {
      return { tree: null, problems, refused: new Map(), departed: new Map(), commit: tip, admitted }
    }
    const judgement = await judgeCommit(tip.id, host)
    const tree = admitted ? judgement.tree : null
    return { ...judgement, tree, problems: [...problems, ...judgement.problems], admitted }
  }

  /** Of a commit that is only proposed: what is deployed is the merge of it, which somebody else may sign. */
  async function signatureWarnings(tip: CommitFacts): Promise<Problem[]> {
    const { trustedKeys: keys } = await readHostFiles(settings, settings.state)
    const { problems } = await admit(tip, {
      repository,
      rules: { ...rules, mode: rules.mode === 'off' ? 'off' : 'head', forwardOnly: false },
      keys,
      accepted: null,
      acceptedFile: accepted.file,
      now: Date.now(),
    })
    return problems.map((problem) => ({ ...problem, severity: 'warning' }))
  }

  /** Where commits have to be admitted, only one that was; else the newest that reads. */
  async function lastGood(tip: CommitFacts, host: HostFiles | null): Promise<Accepted | null> {
    const isGuarded = rules.mode !== 'off' || rules.forwardOnly
    const id =
      (isGuarded ? await accepted.read() : null) ?? (rules.mode === 'off' ? await history.lastReadable(tip.id) : null)
    if (id === null) return null
    try {
      const judgement = await judgeCommit(id, host)
      return judgement.tree === null ? null : { ...judgement, tree: judgement.tree }
    } catch (error) {
      // A history that was rewritten, in a clone that was made anew.
      if (error instanceof RepositoryFault && error.kind === 'missing-ref') return null
      throw error
    }
  }

  return {
    settings,
    state,
    repository,
    history,
    lastTip: createLastTip(join(folder, 'tip.json'), settings.ref ?? null),
    async hostFiles() {
      const files = await readHostFiles(settings, settings.state)
      return { ...files, fingerprint: `${files.fingerprint} ${await paths.changes()}` }
    },
    accepted,
    host: hostIs,
    book,
    async outcomes(commits) {
      try {
        return await book.read(commits, isRemoteAddress(settings.repo))
      } catch (error) {
        // Notes tell about a deployment, and are no part of it.
        if (error instanceof RepositoryFault) return new Map()
        throw error
      }
    },
    judge: judgeCommit,
    judgeTip,
    lastGood,
    async judgeOnto(commit, base) {
      const next = await repository.snapshot(commit, snapshot)
      const judgement = await judge(next, base, null)
      const warnings = next.commit === null ? [] : await signatureWarnings(next.commit)
      return { ...judgement, problems: [...warnings, ...judgement.problems] }
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
    bound: () => bound.load(),
    unbind: () => bound.forget(),
    async close() {
      await book.close()
      await repository.close()
    },
  }
}
