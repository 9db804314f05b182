// The kinds of change that graft makes on an engine, each as two commits: the one that is in force, and the one whose
// way there is cut at every step. What must hold all the way, and what must be there at the end.

import { readFile } from 'node:fs/promises'

import { CHECKED, FOREVER, leaf, type Seen as SeenContainer, type Stage } from '../engine/stage/stage.ts'
import type { Watched } from './watch-engine.ts'

export type Files = Record<string, string | null>
export type Found = Record<string, SeenContainer>

export interface SwapKind {
  readonly name: string
  /** Of `deployment.yaml`. */
  readonly deployment?: (n: number) => string
  /** What is in force first, where that is not what the row before has left. `n` grows from row to row. */
  readonly before?: (n: number) => Files
  readonly after: (n: number) => Files
  /** Done by hand after the commit, before graft comes. */
  readonly byHand?: (stage: Stage) => Promise<unknown>
  /** What the invariants say of which leaf and volume. */
  readonly watched: Omit<Watched, 'accepted'>
  /** Live containers at the end, by name: their generation. */
  readonly ends: (n: number) => Readonly<Record<string, number>>
  /** What else is not as it should be at the end. */
  readonly wrong?: (stage: Stage, found: Found, n: number) => Promise<readonly string[]>
  /** Also with an engine that is restarted after the crash. */
  readonly restarts?: boolean
}

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const QUICK = 'update: {drain: 0s, deadline: 20s}\nstop_grace_period: 1s\n'
const startFirst = (n: number, more = '') =>
  leaf(n, HEALTHY, `${CHECKED}${QUICK}environment: {GENERATION: "${n}"}\n${more}`)
const stopFirst = (n: number, more = '') => startFirst(n, `volumes: ["data:/data"]\n${more}`)
const plain = (n: number, more = '') => startFirst(n, more)

const sameContainer = () => {
  let id: string | null = null
  return {
    note: async (stage: Stage, name: string) => void (id = (await stage.containers())[name]?.id ?? null),
    wrong: (found: Found, name: string) => (found[name]?.id === id ? [] : [`${name} is another container`]),
  }
}
const kept = sameContainer()

/** A port that one leaf of two has; the other one has it next. */
const PORT = 18_473
const holds = (n: number, odd: boolean) => (n % 2 === 1) === odd

export const SWAP_KINDS: readonly SwapKind[] = [
  {
    name: 'start-first',
    after: (n) => ({ 'api.yaml': startFirst(n) }),
    watched: { startFirst: ['api'] },
    ends: (n) => ({ api: n }),
    restarts: true,
  },
  {
    name: 'stop-first',
    after: (n) => ({ 'api.yaml': stopFirst(n) }),
    watched: { exclusive: ['api'], alone: ['data'] },
    ends: (n) => ({ api: n }),
    restarts: true,
  },
  {
    name: 'together: one start-first, one stop-first',
    after: (n) => ({
      'pair/set.yaml': 'update: {together: true}\n',
      'pair/web.yaml': startFirst(n),
      'pair/store.yaml': stopFirst(n),
    }),
    watched: { startFirst: ['web'], exclusive: ['store'], alone: ['data'] },
    ends: (n) => ({ web: n, store: n }),
    restarts: true,
  },
  {
    name: 'job, then what depends on it',
    after: (n) => ({
      'migrate.yaml': leaf(n, `echo ${n} >> /data/runs; sleep 0.3`, 'kind: job\nvolumes: ["data:/data"]\n'),
      'api.yaml': startFirst(n, 'depends_on: {migrate: {condition: service_completed_successfully}}\n'),
    }),
    watched: { startFirst: ['api'], exclusive: ['migrate'] },
    ends: (n) => ({ api: n }),
    wrong: async (stage, _found, n) => {
      const runs = (await readVolume(stage, 'data', 'runs')).split('\n').filter((line) => line === String(n))
      return runs.length === 1 ? [] : [`the job ran ${runs.length} times`]
    },
  },
  {
    name: 'joins the network namespace of another leaf',
    after: (n) => ({ 'api.yaml': startFirst(n), 'side.yaml': plain(n, 'network_mode: "service:api"\n') }),
    watched: { startFirst: ['api'], exclusive: ['side'] },
    ends: (n) => ({ api: n, side: n }),
    wrong: async (stage, found) => {
      const mode = (await stage.container('side').inspect()).HostConfig.NetworkMode
      return mode === `container:${found['api']?.id}` ? [] : [`side joins ${mode}`]
    },
  },
  {
    name: 'a port moves from one leaf to the other',
    after: (n) => ({
      'one.yaml': startFirst(n, holds(n, true) ? `ports: ["127.0.0.1:${PORT}:80"]\n` : ''),
      'two.yaml': startFirst(n, holds(n, false) ? `ports: ["127.0.0.1:${PORT}:80"]\n` : ''),
    }),
    watched: {},
    ends: (n) => ({ one: n, two: n }),
  },
  {
    name: 'a volume moves from one leaf to the other',
    after: (n) => ({
      'one.yaml': holds(n, true) ? stopFirst(n) : plain(n),
      'two.yaml': holds(n, false) ? stopFirst(n) : plain(n),
    }),
    watched: { alone: ['data'] },
    ends: (n) => ({ one: n, two: n }),
  },
  {
    name: 'with files from the repository',
    after: (n) => ({ 'api.conf': `${n}\n`, 'api.yaml': startFirst(n, 'files: {/etc/api.conf: ./api.conf}\n') }),
    watched: { startFirst: ['api'] },
    ends: (n) => ({ api: n }),
    wrong: async (stage, _found, n) => sameText(await readInside(stage, 'api', '/etc/api.conf'), `${n}\n`),
  },
  {
    name: 'with files, read-only',
    after: (n) => ({
      'api.conf': `${n}\n`,
      'api.yaml': startFirst(n, 'files: {/etc/api.conf: ./api.conf}\nread_only: true\ntmpfs: [/tmp]\n'),
    }),
    watched: { startFirst: ['api'] },
    ends: (n) => ({ api: n }),
    wrong: async (stage, _found, n) => sameText(await readInside(stage, 'api', '/etc/api.conf'), `${n}\n`),
  },
  {
    name: 'a new network and a new volume',
    deployment: (n) => `networks: {net${n}: {}}\nvolumes: {data: {}, vol${n}: {}}\n`,
    after: (n) => ({ 'api.yaml': plain(n, `networks: [net${n}]\nvolumes: ["vol${n}:/data"]\n`) }),
    watched: { exclusive: ['api'] },
    ends: (n) => ({ api: n }),
    wrong: async (stage, _found, n) => {
      const filters = { label: [`dev.graft.deployment=${stage.name}`] }
      const networks = (await stage.docker.listNetworks({ filters })).map(({ Name }) => Name)
      const volumes = (await stage.docker.listVolumes({ filters })).Volumes.map(({ Name }) => Name)
      return [
        ...(networks.join() === `${stage.name}_net${n}` ? [] : [`networks: ${networks.join(', ')}`]),
        ...(n < 3 || volumes.includes(`${stage.name}_vol${n - 1}`) ? [] : ['a volume is gone']),
      ]
    },
  },
  {
    name: 'created',
    before: () => ({ 'other.yaml': plain(1), 'api.yaml': null }),
    after: (n) => ({ 'api.yaml': startFirst(n) }),
    watched: { startFirst: ['other'], exclusive: ['api'] },
    ends: (n) => ({ api: n, other: 1 }),
  },
  {
    name: 'removed',
    before: (n) => ({ 'other.yaml': plain(1), 'api.yaml': stopFirst(n) }),
    after: () => ({ 'api.yaml': null }),
    watched: { startFirst: ['other'], exclusive: ['api'] },
    ends: () => ({ other: 1 }),
    wrong: async (stage) => {
      const { Volumes } = await stage.docker.listVolumes({ filters: { name: [`${stage.name}_data`] } })
      return Volumes.length === 1 ? [] : ['its volume is gone']
    },
  },
  {
    name: 'renamed (renamed_from)',
    after: (n) => ({ [`name${n - 1}.yaml`]: null, [`name${n}.yaml`]: renamed(n) }),
    watched: { startFirst: ['name1'], exclusive: ['name1'] },
    byHand: async (stage) => {
      const [name = ''] = Object.keys(await stage.containers())
      await kept.note(stage, name)
    },
    ends: (n) => ({ [`name${n}`]: 1 }),
    wrong: async (_stage, found, n) => kept.wrong(found, `name${n}`),
  },
  {
    name: 'back to an earlier generation',
    before: (n) => ({ 'api.yaml': startFirst(n) }),
    after: () => ({ 'api.yaml': startFirst(1) }),
    watched: { startFirst: ['api'] },
    ends: () => ({ api: 1 }),
  },
  {
    name: 'limits that somebody changed are put back',
    after: (n) => ({ 'api.yaml': startFirst(1, 'cpu_shares: 512\n'), 'note.txt': `${n}\n` }),
    byHand: async (stage) => {
      await kept.note(stage, 'api')
      await stage.container('api').update({ CpuShares: 256 })
    },
    watched: { startFirst: ['api'] },
    ends: () => ({ api: 1 }),
    wrong: async (stage, found) => {
      const shares = (await stage.container('api').inspect()).HostConfig.CpuShares
      return [...kept.wrong(found, 'api'), ...(shares === 512 ? [] : [`${shares} CPU shares`])]
    },
  },
  {
    name: 'one that somebody stopped is started',
    after: (n) => ({ 'api.yaml': stopFirst(1), 'note.txt': `${n}\n` }),
    byHand: async (stage) => {
      await kept.note(stage, 'api')
      await stage.container('api').stop()
    },
    watched: { exclusive: ['api'] },
    ends: () => ({ api: 1 }),
    wrong: async (_stage, found) => kept.wrong(found, 'api'),
  },
  {
    name: 'one that somebody paused, renamed and cut off is mended',
    after: (n) => ({ 'api.yaml': startFirst(1), 'note.txt': `${n}\n` }),
    byHand: async (stage) => {
      await kept.note(stage, 'api')
      const api = stage.container('api')
      const { Id } = await api.inspect()
      await stage.docker.getNetwork(`${stage.name}_default`).disconnect({ Container: Id })
      await api.pause()
      await api.rename({ name: `${stage.name}-elsewhere` })
    },
    watched: { exclusive: ['api'] },
    ends: () => ({ api: 1 }),
  },
  {
    name: 'a set is stopped',
    before: (n) => ({ 'set/set.yaml': 'state: running\n', 'set/api.yaml': stopFirst(n), 'other.yaml': plain(1) }),
    after: () => ({ 'set/set.yaml': 'state: stopped\n' }),
    watched: { startFirst: ['other'], exclusive: ['api'] },
    ends: (n) => ({ api: n, other: 1 }),
    wrong: async (_stage, found) => (found['api']?.state === 'exited' ? [] : [`api is ${found['api']?.state}`]),
  },
  {
    name: 'a set is started',
    before: (n) => ({ 'set/set.yaml': 'state: stopped\n', 'set/api.yaml': stopFirst(n), 'other.yaml': plain(1) }),
    after: () => ({ 'set/set.yaml': 'state: running\n' }),
    watched: { startFirst: ['other'], exclusive: ['api'] },
    ends: (n) => ({ api: n, other: 1 }),
  },
  {
    name: 'the candidate fails, start-first',
    before: () => ({ 'api.yaml': startFirst(1) }),
    after: (n) => ({ 'api.yaml': failing(n) }),
    watched: { startFirst: ['api'] },
    ends: (n) => ({ api: 1, 'api.failed': n }),
    wrong: notTriedAgain,
  },
  {
    name: 'the candidate fails, stop-first',
    before: () => ({ 'api.yaml': stopFirst(1) }),
    after: (n) => ({ 'api.yaml': failing(n, 'volumes: ["data:/data"]\n') }),
    watched: { exclusive: ['api'], alone: ['data'] },
    ends: (n) => ({ api: 1, 'api.failed': n }),
    wrong: notTriedAgain,
  },
]

function failing(n: number, more = ''): string {
  return leaf(n, 'sleep 0.2; exit 3', `${CHECKED}${QUICK}environment: {GENERATION: "${n}"}\n${more}`)
}

function renamed(n: number): string {
  const line = leaf(1, HEALTHY, `${CHECKED}${QUICK}`)
  return n === 1 ? line : `${line}renamed_from: name${n - 1}\n`
}

/** Another look finds what has failed, and leaves it. */
async function notTriedAgain(stage: Stage, found: Found): Promise<readonly string[]> {
  await stage.apply()
  const { 'api.failed': failed } = await stage.containers()
  return failed?.id === found['api.failed']?.id ? [] : ['it was tried again']
}

async function readInside(stage: Stage, name: string, path: string): Promise<string> {
  const exec = await stage.container(name).exec({ Cmd: ['cat', path], AttachStdout: true, Tty: true })
  const stream = await exec.start({ Tty: true })
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text.replaceAll('\r\n', '\n')
}

function sameText(found: string, wanted: string): readonly string[] {
  return found === wanted ? [] : [`the file holds ${JSON.stringify(found)}`]
}

/** Through the engine's own folder. */
async function readVolume(stage: Stage, volume: string, file: string): Promise<string> {
  const { Mountpoint } = await stage.docker.getVolume(`${stage.name}_${volume}`).inspect()
  return readFile(`${Mountpoint}/${file}`, 'utf8').catch(() => '')
}
