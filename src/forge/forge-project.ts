// Which project on which forge (GitHub, GitLab, Gitea, Forgejo) a repository's address means. Pure.

export type ForgeKind = 'github' | 'gitlab' | 'gitea' | 'forgejo'

export const FORGE_KINDS: readonly ForgeKind[] = ['github', 'gitlab', 'gitea', 'forgejo']

export interface ForgeProject {
  readonly kind: ForgeKind
  /** Root of the API, without a slash at its end: `https://api.github.com`. */
  readonly api: string
  /** `owner/name`; on GitLab with all groups above. */
  readonly path: string
  /** Where people look at it: `https://github.com/owner/name`. */
  readonly page: string
}

/** Hosts that everybody knows; what runs elsewhere has to be said. */
const KNOWN: Readonly<Record<string, ForgeKind>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'gitea.com': 'gitea',
  'codeberg.org': 'forgejo',
}

export interface RepositoryPlace {
  /** Host name, with the port where it is http(s) on one of its own. */
  readonly host: string
  readonly secure: boolean
  /** Without slashes at its ends and without `.git`. */
  readonly path: string
}

/** Host and path of an `https://`, `http://` or `ssh://` URL or of `user@host:path`; null for anything else. */
export function placeOf(repo: string): RepositoryPlace | null {
  const text = repo.trim()
  const short = /^(?:[\w.-]+@)?(\[[0-9A-Fa-f:]+\]|[\w.-]+):(?!\/\/)(.+)$/.exec(text)
  if (short !== null && !/^[a-z]+:\/\//i.test(text)) return tidy(short[1] ?? '', short[2] ?? '', true)
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return null
  }
  const overHttp = url.protocol === 'https:' || url.protocol === 'http:'
  if (!overHttp && url.protocol !== 'ssh:') return null
  // A port of SSH says nothing about where the pages are.
  return tidy(overHttp ? url.host : url.hostname, url.pathname, url.protocol !== 'http:')
}

function tidy(host: string, path: string, secure: boolean): RepositoryPlace | null {
  const trimmed = path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  return trimmed.includes('/') && host !== '' ? { host: host.toLowerCase(), secure, path: trimmed } : null
}

/** What forge a host is, where its name says so; null where it does not. */
export function forgeOf(host: string): ForgeKind | null {
  return KNOWN[host.replace(/:\d+$/, '')] ?? null
}

/** `kind`: where the host's name does not tell. `api`: where it is not at its usual place. Null: no forge is known there. */
export function forgeProject(
  repo: string,
  { kind, api }: { readonly kind?: ForgeKind | undefined; readonly api?: string | undefined } = {},
): ForgeProject | null {
  const place = placeOf(repo)
  if (place === null) return null
  const { host, secure, path } = place
  const known = kind ?? forgeOf(host)
  if (known === null) return null
  const site = `${secure ? 'https' : 'http'}://${host}`
  return { kind: known, api: (api ?? usualApi(known, host, site)).replace(/\/+$/, ''), path, page: `${site}/${path}` }
}

/** GitHub REST API, "Getting started" (Enterprise Server: /api/v3); GitLab REST API, "Access"; Gitea and Forgejo, "API usage". */
function usualApi(kind: ForgeKind, host: string, site: string): string {
  if (kind === 'github') return host === 'github.com' ? 'https://api.github.com' : `${site}/api/v3`
  return kind === 'gitlab' ? `${site}/api/v4` : `${site}/api/v1`
}

/** The page of a commit. */
export function commitPage({ kind, page }: ForgeProject, commit: string): string {
  return `${page}${kind === 'gitlab' ? '/-' : ''}/commit/${commit}`
}

/** The page of a pull or merge request. */
export function pullRequestPage({ kind, page }: ForgeProject, number: number): string {
  if (kind === 'github') return `${page}/pull/${number}`
  return kind === 'gitlab' ? `${page}/-/merge_requests/${number}` : `${page}/pulls/${number}`
}
