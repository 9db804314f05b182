// What the soak declares: thirty containers of all kinds, as a model from which files are written and by which is told
// what has to run.

export type Kind = 'web' | 'store' | 'worker' | 'pair' | 'job'
/** What a generation does: it works, it exits at once, it never becomes healthy, its image is nowhere. */
export type Way = 'good' | 'exits' | 'never healthy' | 'no image'

export interface LeafModel {
  readonly name: string
  readonly kind: Kind
  /** Of a web: the host's port. */
  readonly port: number
  /** Every generation that was ever declared. */
  readonly ways: Map<number, Way>
  /** What is declared now; null: the leaf is gone. */
  generation: number | null
  /** The last one declared that works: it runs. */
  live: number | null
}

export interface Fleet {
  readonly leaves: readonly LeafModel[]
  /** Whether the set of the workers is stopped. */
  workersStopped: boolean
}

export const BASE_IMAGE = 'graft-test/base:1'
const COUNTS: Readonly<Record<Kind, number>> = { web: 11, store: 8, worker: 4, pair: 4, job: 2 }

/** `ports`: as many as there are webs. One container more is the ingress. */
export function newFleet(ports: readonly number[]): Fleet {
  const kinds = Object.keys(COUNTS) as Kind[]
  const leaves = kinds.flatMap((kind) =>
    Array.from({ length: COUNTS[kind] }, (_, index) => ({
      name: `${kind}-${index + 1}`,
      kind,
      port: kind === 'web' ? (ports[index] ?? 0) : 0,
      ways: new Map<number, Way>([[1, 'good']]),
      generation: 1,
      live: 1,
    })),
  )
  return { leaves, workersStopped: false }
}

export const WEBS = COUNTS.web

/** Two of it may run at a time. */
export function isStartFirst({ kind }: LeafModel): boolean {
  return kind === 'web' || kind === 'worker' || kind === 'pair'
}

export function pathOf({ kind, name }: LeafModel): string {
  return `${kind}s/${name}.yaml`
}

export function setFiles(fleet: Fleet): Record<string, string> {
  return {
    'webs/set.yaml': '',
    'stores/set.yaml': '',
    'jobs/set.yaml': '',
    'workers/set.yaml': fleet.workersStopped ? 'state: stopped\n' : 'state: running\n',
    'pairs/set.yaml': 'update: {together: true}\n',
  }
}

/** null where the leaf is gone. */
export function leafText(leaf: LeafModel): string | null {
  const { kind, generation } = leaf
  if (generation === null) return null
  const way = leaf.ways.get(generation) ?? 'good'
  const image = way === 'no image' ? '127.0.0.1:1/nowhere:1' : BASE_IMAGE
  const lines = [`generation: ${generation}`, `image: ${image}`, `environment: {GENERATION: "${generation}"}`]
  // What works may take its time on a busy machine.
  const deadline = way === 'good' ? '2m' : '8s'
  const idle = 'trap "exit 0" TERM; while :; do sleep 1 & wait; done'
  const begin = way === 'exits' ? 'exit 3; ' : way === 'never healthy' ? '' : 'touch /tmp/ok; '
  const run = (line: string) => lines.push(`command: ${JSON.stringify(['/bin/sh', '-c', line])}`)
  if (kind === 'job') {
    run(`${way === 'exits' ? 'exit 3; ' : ''}echo ${generation}`)
    return ['kind: job', ...lines, ''].join('\n')
  }
  if (kind === 'web') {
    const folder = way === 'never healthy' ? '/none' : '/www'
    // Each client of the load asks for a path of its own.
    const numbers = Array.from({ length: WEBS }, (_, number) => number)
    const pages = ['fresh', 'kept'].flatMap((name) => numbers.map((number) => `/www/${name}/${number}`))
    const prepare = `mkdir -p /www/fresh /www/kept /none; echo ${generation} | tee ${pages.join(' ')} > /www/index.html`
    run(`${way === 'exits' ? 'exit 3; ' : ''}${prepare}; exec httpd -f -p 8080 -h ${folder}`)
    lines.push(
      `ports: [{target: 8080, published: ${leaf.port}, host_ip: 127.0.0.1, http: true}]`,
      'healthcheck: {http: {port: 8080, path: /index.html}, interval: 2s, retries: 3}',
      `update: {drain: 1s, deadline: ${deadline}, settle: 500ms}`,
    )
  } else {
    run(`${begin}${idle}`)
    lines.push(
      'healthcheck: {test: ["CMD", "/bin/test", "-e", "/tmp/ok"], interval: 5s}',
      `update: {drain: 100ms, deadline: ${deadline}, settle: 500ms}`,
      'stop_grace_period: 3s',
    )
    if (kind === 'store') lines.push(`volumes: ["${leaf.name}:/data"]`)
  }
  return [...lines, ''].join('\n')
}

/** `leaf generation` of all that may run because a commit that reads declared it. */
export function accepted(fleet: Fleet): ReadonlySet<string> {
  return new Set(
    fleet.leaves.flatMap(({ name, ways }) => [...ways.keys()].map((generation) => `${name} ${generation}`)),
  )
}
