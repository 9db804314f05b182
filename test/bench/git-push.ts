// From a commit to the plan for it: the daemon's own loops, over a real repository, with an engine that is never asked
// anything. By the watch over a folder, and by a webhook that tells of a push to a server.

import { createHmac, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { systemClock } from '../../src/apply/clock.ts'
import type { Engine } from '../../src/apply/engine.ts'
import { startDaemon, type Daemon } from '../../src/daemon/loop.ts'
import { openDeployment } from '../../src/daemon/open-deployment.ts'
import type { Reconciler, Turn } from '../../src/daemon/reconcile.ts'
import { settingsSchema } from '../../src/daemon/settings.ts'
import { startGitServer } from '../../src/demo/git-server.ts'
import { serveWebhooks } from '../../src/http/webhook-server.ts'
import type { HistoryRepository } from './git-repository.ts'

export interface PushTimes {
  /** Milliseconds from the end of the command that made the commit. */
  readonly watch: number[]
  /** Milliseconds from the webhook's being sent, fetch included. */
  readonly webhook: number[]
}

const TIMES = 10
/** What a person would call never. */
const PATIENCE = 30_000

export async function pushesToPlans(git: HistoryRepository, say: (text: string) => void): Promise<PushTimes> {
  const watch = await withDaemon(git.folder, {}, async (planned) => {
    const samples: number[] = []
    for (let time = 0; time < TIMES; time++) samples.push(await planned(await git.bump(), performance.now()))
    return samples
  })
  say('from a webhook to the plan')
  const server = await startGitServer({ folder: git.folder })
  const secret = randomUUID()
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-hook-'))
  const secretFile = join(folder, 'secret')
  await writeFile(secretFile, `${secret}\n`)
  try {
    const repo = `${server.url}/.git`
    // Polls come so seldom that only the webhook can have told.
    const webhook = await withDaemon(repo, { ref: 'main', poll: 3600 }, async (planned, daemon) => {
      const hooks = await serveWebhooks({
        host: '127.0.0.1',
        port: 0,
        secretFile,
        repo,
        ref: 'main',
        limits: { bodyBytes: 65_536, perMinute: 60_000, inAll: 60_000 },
        onPush: () => daemon.pushed(),
        tell: () => undefined,
      })
      const samples: number[] = []
      try {
        for (let time = 0; time < TIMES; time++) {
          const id = await git.bump()
          const body = JSON.stringify({ time, id })
          const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
          const begun = performance.now()
          const answer = await fetch(`http://127.0.0.1:${hooks.address.port}/webhook/plain`, {
            method: 'POST',
            body,
            headers: { 'x-graft-signature': signature, 'content-type': 'application/json' },
          })
          if (!answer.ok) throw new Error(`the webhook was answered with ${answer.status}: ${await answer.text()}`)
          await answer.arrayBuffer()
          samples.push(await planned(id, begun))
        }
      } finally {
        await hooks.close()
      }
      return samples
    })
    return { watch, webhook }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** `planned`: resolves when the plan for a commit begins, to the milliseconds since `begun`. */
type Planned = (commit: string, begun: number) => Promise<number>

async function withDaemon(
  repo: string,
  settings: { readonly ref?: string; readonly poll?: number },
  work: (planned: Planned, daemon: Daemon) => Promise<number[]>,
): Promise<number[]> {
  const state = await mkdtemp(join(tmpdir(), 'graft-bench-state-'))
  const deployment = await openDeployment({ ...settingsSchema.parse({ ...settings }), repo, state }, {})
  const abort = new AbortController()
  const begun = new Map<string, number>()
  const { signal } = abort
  const daemon = startDaemon(
    {
      deployment,
      engine: engineWithoutEvents(signal),
      reconciler: reconcilerThatOnlyBegins((commit) => {
        if (!begun.has(commit)) begun.set(commit, performance.now())
      }),
      clock: systemClock,
      signal,
      probed: () => new Map(),
      stillOurs: async () => undefined,
      tell: () => undefined,
      onTurn: () => undefined,
    },
    () => undefined,
  )
  const planned: Planned = async (commit, since) => {
    for (const end = Date.now() + PATIENCE; !begun.has(commit); await sleep(1)) {
      if (Date.now() > end) throw new Error(`no plan was begun for ${commit}`)
    }
    return (begun.get(commit) ?? NaN) - since
  }
  try {
    const { commit } = await deployment.repository.refresh()
    await planned(commit.id, 0)
    // Watching begins with the first look.
    await sleep(500)
    return await work(planned, daemon)
  } finally {
    abort.abort()
    await daemon.ended
    await deployment.close()
    await rm(state, { recursive: true, force: true })
  }
}

function engineWithoutEvents(signal: AbortSignal): Engine {
  const engine: Pick<Engine, 'url' | 'events'> = {
    url: 'none',
    async *events() {
      await systemClock.sleep(3_600_000, signal)
      yield* []
    },
  }
  return engine as Engine
}

function reconcilerThatOnlyBegins(begins: (commit: string) => void): Reconciler {
  const nothing = (wish: Turn['wish']): Promise<Turn> => {
    begins(wish.tree.commit?.id ?? '')
    const plan = { deployment: wish.tree.name, commit: null, verdicts: [], tables: [], removalHeld: null, notes: [] }
    return Promise.resolve({ wish, plan } as unknown as Turn)
  }
  return {
    look: nothing,
    turn: nothing,
    settle: async (wish) => ({ turn: await nothing(wish), results: [] }),
    busy: () => new Set(),
    retry: () => undefined,
    restart: () => undefined,
    restarts: () => new Map(),
    lastSwaps: () => new Map(),
    stop: async () => undefined,
  }
}
