// The daemon's side of a forge, as the settings ask for it: statuses of commits out, webhooks in.

import type { Logger } from 'pino'
import { EnvHttpProxyAgent } from 'undici'

import type { Clock } from '../apply/clock.ts'
import type { Settings } from '../daemon/settings.ts'
import { commitPage, forgeProject, placeOf } from '../forge/forge-project.ts'
import { createStatusTeller } from '../forge/status-teller.ts'
import { PENDING_WORDS, statusOf } from '../forge/status-words.ts'
import { serveWebhooks } from '../http/webhook-server.ts'
import type { OutcomeRecord } from '../report/outcome-record.ts'
import { plain } from '../report/columns.ts'
import { certificatesIn } from './certificates.ts'
import { Mistake } from './mistakes.ts'

export interface ForgeTalk {
  /** This commit is being brought about. */
  pending(commit: string): void
  outcome(record: OutcomeRecord): void
  /** Gives what is still to be told a moment. */
  end(): Promise<void>
}

export interface TalkOptions {
  readonly settings: Settings & { readonly repo: string }
  /** This host's name in the statuses. */
  readonly host: string
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds that the end of graft waits for a last status. */
const LAST_WORDS = 3_000

/** Null where no statuses are asked for. Throws a Mistake where they are and cannot be. */
export function openForgeTalk({ settings, host, clock, log }: TalkOptions): ForgeTalk | null {
  const { forge_token_file: tokenFile, repo } = settings
  if (tokenFile === undefined) return null
  const project = forgeProject(repo, { kind: settings.forge, api: settings.forge_api })
  if (project === null) {
    throw new Mistake(
      `forge_token_file is set, and it is not known on which forge ${plain(placeOf(repo)?.host ?? 'this repository')} is`,
      'say which: --forge github, gitlab, gitea or forgejo; a folder has none',
    )
  }
  if (!/^https?:\/\//i.test(project.api) || !URL.canParse(project.api)) {
    throw new Mistake(
      'forge_api is no address of http or https',
      'write the root of the API whole: https://git.example/api/v1',
    )
  }
  const abort = new AbortController()
  const teller = createStatusTeller({
    project,
    tokenFile,
    clock,
    signal: abort.signal,
    dispatcher: new EnvHttpProxyAgent({ connect: certificatesIn(settings.git_ca_file) }),
    onFault(fault) {
      if (fault === null) log.info({ event: 'forge-back' }, `${project.kind} takes commit statuses again`)
      else {
        const { message, remedy } = fault
        log.warn({ event: 'forge-fault', fault: message, remedy }, `${plain(message)}; ${plain(remedy)}`)
      }
    },
  })
  const context = `graft/${host}`
  const linkOf = (commit: string): string =>
    settings.forge_link?.replaceAll('{commit}', commit).replaceAll('{host}', encodeURIComponent(host)) ??
    commitPage(project, commit)
  const tell = (commit: string, status: ReturnType<typeof statusOf>): void =>
    teller.tell({ commit, context, link: linkOf(commit), ...status })
  return {
    pending: (commit) => tell(commit, { state: 'pending', description: PENDING_WORDS }),
    outcome: (record) => tell(record.commit, statusOf(record)),
    async end() {
      await teller.settled(LAST_WORDS)
      abort.abort()
    },
  }
}

/** `onPush`: look at the repository, now. Resolves to how it is closed. Throws a Mistake where it cannot be opened. */
export async function openWebhooks(
  settings: Settings & { readonly repo: string },
  onPush: () => void,
  log: Logger,
): Promise<() => Promise<void>> {
  const { listen, webhook_secret_file: secretFile } = settings
  if (listen === undefined) return async () => undefined
  if (secretFile === undefined) {
    throw new Mistake('--listen is set, and no secret', 'name the file that holds one: --webhook-secret-file FILE')
  }
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '') || '::'
  try {
    const server = await serveWebhooks({
      host,
      port: Number(listen.slice(colon + 1)),
      secretFile,
      repo: settings.repo,
      ref: settings.ref,
      limits: {
        bodyBytes: settings.limits.webhook_size,
        perMinute: settings.limits.webhooks_per_minute,
        inAll: settings.limits.webhooks_in_all,
      },
      onPush,
      tell({ from, status, message }) {
        const level = status >= 500 ? 'error' : status >= 400 ? 'warn' : 'info'
        log[level](
          { event: 'webhook', from, status, message },
          `webhook from ${from ?? 'somewhere'}: ${plain(message)}`,
        )
      },
    })
    const { address } = server
    const place = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
    log.info({ event: 'listens', address: place }, `hears webhooks on http://${place}/webhook/`)
    return () => server.close()
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new Mistake(`webhooks cannot be heard on ${listen}: ${words}`, 'name another address and port with --listen')
  }
}
