// Every call that graft makes to an engine, written down once: what a proxy in front of the engine's socket has to let
// through, and nothing else.

export interface CallUsed {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /**
   * Without the version. `{id}` stands for the id or the name of a container, a network, a volume or an exec, `{image}`
   * for a reference or an id of an image, `{mark}` for the name of an empty volume that only says something.
   */
  readonly path: string
  readonly purpose: string
  /** The command of a person that alone makes this call: a daemon does without it. */
  readonly only?: string
  /** Parameters of the query that graft gives these values only: regular expressions over the whole value. */
  readonly query?: Readonly<Record<string, string>>
}

const OWN_IMAGES = 'graft\\.local/.+'

/** Engine API 1.41 to 1.51. Only `/version` is asked without a version before the path. */
export const CALLS_USED: readonly CallUsed[] = [
  { method: 'GET', path: '/version', purpose: 'which API both know' },
  { method: 'GET', path: '/info', purpose: 'name, defaults and abilities of the engine' },
  { method: 'GET', path: '/events', purpose: 'to look when something changed' },
  { method: 'GET', path: '/containers/json', purpose: 'the containers, their names and ports' },
  { method: 'GET', path: '/containers/{id}/json', purpose: 'one container, compared with what is declared' },
  { method: 'GET', path: '/containers/{id}/logs', purpose: '`graft logs`, and the last lines of what failed' },
  { method: 'POST', path: '/containers/create', purpose: 'candidates, the lock, helpers of probes' },
  { method: 'POST', path: '/containers/{id}/start', purpose: 'a candidate, or what came back' },
  { method: 'POST', path: '/containers/{id}/stop', purpose: 'what goes' },
  { method: 'POST', path: '/containers/{id}/unpause', purpose: 'what somebody paused' },
  {
    method: 'POST',
    path: '/containers/{id}/kill',
    purpose: 'the ingress reloads, or ends softly',
    query: { signal: 'SIGUSR[12]' },
  },
  { method: 'POST', path: '/containers/{id}/update', purpose: 'restart policy, limits, the beat of the lock' },
  { method: 'POST', path: '/containers/{id}/rename', purpose: 'the commit point of a swap' },
  { method: 'POST', path: '/containers/{id}/wait', purpose: 'the end of a job, of a helper' },
  { method: 'POST', path: '/containers/{id}/attach', purpose: 'what a helper says' },
  { method: 'DELETE', path: '/containers/{id}', purpose: 'what was replaced, what failed before' },
  { method: 'PUT', path: '/containers/{id}/archive', purpose: 'files of the repository, the ingress’s configuration' },
  {
    method: 'GET',
    path: '/containers/{id}/archive',
    purpose: 'the ingress’s configuration; files of what is made again',
  },
  { method: 'POST', path: '/containers/{id}/exec', purpose: 'checks with a command' },
  { method: 'POST', path: '/exec/{id}/start', purpose: 'the same' },
  { method: 'GET', path: '/exec/{id}/json', purpose: 'the exit code of a check' },
  { method: 'GET', path: '/images/json', purpose: 'which images are there' },
  { method: 'GET', path: '/images/{image}/json', purpose: 'what an image declares' },
  {
    method: 'POST',
    path: '/images/create',
    purpose: 'pulls; the empty image of the lock, sent along',
    query: { fromSrc: '-' },
  },
  {
    method: 'POST',
    path: '/images/{image}/tag',
    purpose: 'an image that passed its gate is kept for a rollback',
    query: { repo: OWN_IMAGES },
  },
  { method: 'DELETE', path: '/images/graft.local/{image}', purpose: 'graft’s own tags, the oldest' },
  {
    method: 'POST',
    path: '/commit',
    purpose: 'the files of a leaf with `read_only`',
    query: { repo: OWN_IMAGES },
  },
  { method: 'GET', path: '/networks', purpose: 'which networks are there' },
  { method: 'POST', path: '/networks/create', purpose: 'the deployment’s networks' },
  { method: 'DELETE', path: '/networks/{id}', purpose: 'networks that are not declared any more' },
  { method: 'POST', path: '/networks/{id}/connect', purpose: 'further networks of a container' },
  { method: 'POST', path: '/networks/{id}/disconnect', purpose: 'networks that a container has left' },
  { method: 'GET', path: '/volumes', purpose: 'which volumes are there' },
  { method: 'GET', path: '/volumes/{mark}', purpose: 'whose a mark is, before it goes' },
  { method: 'DELETE', path: '/volumes/{mark}', purpose: 'a mark that says nothing any more' },
  { method: 'GET', path: '/volumes/{id}', purpose: 'whose a volume is, before it goes', only: 'graft down --volumes' },
  { method: 'DELETE', path: '/volumes/{id}', purpose: 'volumes and their data', only: 'graft down --volumes' },
  { method: 'POST', path: '/volumes/create', purpose: 'the deployment’s volumes; that a job has completed' },
]

/** No percent signs: what is written in another way than graft writes it is not let through. */
const PLACES: Readonly<Record<string, string>> = {
  id: '[A-Za-z0-9][A-Za-z0-9_.-]*',
  image: '[A-Za-z0-9][A-Za-z0-9_.:/@-]*',
  mark: '[a-z0-9-]+_[a-z0-9-]+\\.(done|adopted)-g[0-9]+(-[0-9a-f]{12})?',
}

/** The path without a version as a regular expression, from its beginning to its end. */
export function pathPattern({ path }: CallUsed): string {
  const text = path.replace(/\./g, '\\.').replace(/\{(\w+)\}/g, (_whole, name: string) => PLACES[name] ?? '')
  return `^${text}$`
}

/** The entry that allows a call; null where none does. `target`: path and query as sent, with or without a version. */
export function callUsed(method: string, target: string): CallUsed | null {
  const [path = '', query = ''] = target.replace(/^\/v1\.\d+(?=\/)/, '').split('?', 2)
  if (path.includes('..')) return null
  const given = new URLSearchParams(query)
  const found = CALLS_USED.find((call) => call.method === method && new RegExp(pathPattern(call)).test(path))
  if (found === undefined) return null
  const fits = Object.entries(found.query ?? {}).every(([name, pattern]) =>
    given.getAll(name).every((value) => new RegExp(`^${pattern}$`).test(value)),
  )
  return fits ? found : null
}
