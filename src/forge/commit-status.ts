// The request that puts a status on a commit, for each forge. Pure: whoever sends it adds the token.
// GitHub REST API, "Create a commit status"; GitLab REST API, "Set commit pipeline status"; Gitea and Forgejo API,
// repoCreateStatus.

import type { ForgeKind, ForgeProject } from './forge-project.ts'

export type StatusState = 'pending' | 'success' | 'failure'

export interface CommitStatus {
  /** 40 hex digits. */
  readonly commit: string
  readonly state: StatusState
  /** Tells one host's statuses from another's: `graft/web1`. */
  readonly context: string
  /** One line; cut where the forge takes less. */
  readonly description: string
  /** Where more is to be read; null: nowhere. */
  readonly link: string | null
}

export interface StatusRequest {
  readonly method: 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Characters of a description: GitHub refuses more than 140; the others keep 255. */
const LONGEST: Readonly<Record<ForgeKind, number>> = { github: 140, gitlab: 255, gitea: 255, forgejo: 255 }

/** GitLab's state machine has a state of its own for what is being done. */
const GITLAB_STATES = { pending: 'running', success: 'success', failure: 'failed' } as const

export function statusRequest(project: ForgeProject, status: CommitStatus): StatusRequest {
  const { kind, api, path } = project
  const description = cut(status.description, LONGEST[kind])
  const link = status.link === null ? {} : { target_url: status.link }
  if (kind === 'gitlab') {
    return {
      method: 'POST',
      url: `${api}/projects/${encodeURIComponent(path)}/statuses/${status.commit}`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ state: GITLAB_STATES[status.state], name: status.context, description, ...link }),
    }
  }
  const project_ = path.split('/').map(encodeURIComponent).join('/')
  return {
    method: 'POST',
    url: `${api}/repos/${project_}/statuses/${status.commit}`,
    headers: {
      'content-type': 'application/json',
      ...(kind === 'github'
        ? { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
        : { accept: 'application/json' }),
    },
    body: JSON.stringify({ state: status.state, context: status.context, description, ...link }),
  }
}

/** The header that proves who asks. */
export function tokenHeader(kind: ForgeKind, token: string): Readonly<Record<string, string>> {
  if (kind === 'gitlab') return { 'private-token': token }
  return { authorization: `${kind === 'github' ? 'Bearer' : 'token'} ${token}` }
}

/** GitLab refuses to be told a state that it has already: that is the state that was wanted. */
export function isSaidAlready(kind: ForgeKind, status: number, body: string): boolean {
  return kind === 'gitlab' && status === 400 && /Cannot transition status via :\w+ from :\w+/.test(body)
}

function cut(text: string, longest: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  const letters = [...line]
  return letters.length <= longest ? line : `${letters.slice(0, longest - 1).join('')}…`
}
