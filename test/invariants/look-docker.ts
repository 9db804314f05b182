// A look at a real engine. What runs is seen in one call, so that no two moments are taken for one.

import type Docker from 'dockerode'

import { deploymentOf, readContainerLabels, readMarkedContainer } from '../../src/engine/labels.ts'
import { deploymentRepositories } from '../../src/plan/rollback-tag.ts'
import { isCandidate, type Look, type SeenContainer } from './look.ts'

export interface DockerLookOptions {
  /** Also at what is not the deployment's, which takes a call for each of those containers. True where it is left out. */
  readonly foreign?: boolean
  /** False: images are not looked at, because somebody else takes some away meanwhile. */
  readonly images?: boolean
}

type Row = Docker.ContainerInfo

const ENGINE_NETWORKS: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** Throws what dockerode throws where the engine does not answer. */
export async function lookAtDocker(
  docker: Docker,
  deployment: string,
  { foreign = true, images = true }: DockerLookOptions = {},
): Promise<Look> {
  const at = Date.now()
  const [rows, listed] = await Promise.all([docker.listContainers({ all: true }), docker.listVolumes()])
  const volumes = listed.Volumes ?? []
  const marks = new Map(
    volumes.flatMap(({ Labels: labels }) => {
      const mark = readMarkedContainer(labels)
      return mark === null ? [] : [[mark.id, mark.labels] as const]
    }),
  )
  const containers = rows.map((row): SeenContainer => {
    // A helper's labels are none of a leaf's.
    const labels = readContainerLabels(row.Labels) ?? marks.get(row.Id)
    const isOfLeaf = labels !== undefined && labels.leaf !== ''
    const name = nameOf(row)
    const running = row.State === 'running' || row.State === 'paused'
    return {
      id: row.Id,
      name,
      deployment: labels?.deployment ?? deploymentOf(row.Labels) ?? ownerByName(name, deployment),
      leaf: isOfLeaf ? labels.leaf : null,
      generation: isOfLeaf ? String(labels.generation) : null,
      runDigest: isOfLeaf ? labels.digest : null,
      commit: isOfLeaf ? labels.commit : null,
      running,
      healthy: running ? healthOf(row) : null,
      restartPolicy: null,
      volumes: row.Mounts.flatMap(({ Name: volume }) => (volume === undefined ? [] : [volume])),
    }
  })
  const look = { at, containers, volumes: volumes.map(({ Name }) => Name) }
  if (!foreign) return { ...look, foreign: null }

  const ours = new Set(containers.filter((one) => one.deployment === deployment).map(({ id }) => id))
  const seen = new Map<string, string>()
  const own = new Set([...ours].map(containerKey))
  const others = rows.filter(({ Id }) => !ours.has(Id))
  for (const one of await Promise.all(others.map((row) => fingerprint(docker, row)))) if (one) seen.set(...one)
  for (const { Id, Name, Driver, Labels, Options } of await docker.listNetworks()) {
    if (deploymentOf(Labels) === deployment) continue
    // The engine makes its own anew at each of its starts.
    const id = ENGINE_NETWORKS.has(Name) ? null : Id
    seen.set(`network ${Name}`, JSON.stringify([id, Driver, Labels, Options]))
  }
  for (const { Name, Driver, Labels, Options } of volumes) {
    if (deploymentOf(Labels) !== deployment) seen.set(`volume ${Name}`, JSON.stringify([Driver, Labels, Options]))
  }
  for (const { Id, RepoTags: tags } of images ? await docker.listImages() : []) {
    // That a pull takes a tag from it is no change of the image; that it goes is one.
    if (isOwnImage(tags ?? [], deployment)) own.add(imageKey(Id))
    else seen.set(imageKey(Id), 'is there')
  }
  return { ...look, foreign: seen, own }
}

const containerKey = (id: string): string => `container ${id.slice(0, 12)}`
const imageKey = (id: string): string => `image ${id.replace('sha256:', '').slice(0, 12)}`

function nameOf(row: Row): string {
  // A link gives a container a second name, with a slash in it.
  const own = row.Names.find((name) => !name.slice(1).includes('/')) ?? ''
  return own.replace(/^\//, '')
}

/** What graft needs for a moment without a label is called `graft.DEPLOYMENT.…`. */
function ownerByName(name: string, deployment: string): string | null {
  return name.startsWith(`graft.${deployment}.`) ? deployment : null
}

/**
 * What the engine's own check says (Engine API 1.41, ContainerList, Status). graft asks at its gate on its own, so the
 * engine may not have asked yet when a candidate has become live; a candidate is not healthy before the engine says so.
 */
function healthOf(row: Row): boolean | null {
  if (row.State === 'paused' || row.Status.includes('(unhealthy)')) return false
  if (row.Status.includes('(healthy)')) return true
  if (row.Status.includes('(health: starting)')) return isCandidate({ name: nameOf(row) }) ? false : null
  return null
}

/** Null where it went between two calls. */
async function fingerprint(docker: Docker, row: Row): Promise<readonly [string, string] | null> {
  const facts = await docker
    .getContainer(row.Id)
    .inspect()
    .catch((error: unknown) => {
      if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return null
      throw error
    })
  if (facts === null) return null
  const { RestartPolicy: restart, Memory: memory, NanoCpus: cpus, CpuShares: shares } = facts.HostConfig
  const networks = Object.entries(facts.NetworkSettings.Networks).map(
    ([name, { Aliases: aliases }]) => [name, aliases] as const,
  )
  const sorted = networks.toSorted(([a], [b]) => (a < b ? -1 : 1))
  // Without times and addresses, which an engine's own restart changes.
  const text = [nameOf(row), facts.State.Status, restart, facts.Image, memory, cpus, shares, sorted]
  return [containerKey(row.Id), JSON.stringify(text)]
}

/** Images that graft makes carry its tags and no other. */
function isOwnImage(tags: readonly string[], deployment: string): boolean {
  const own = [`${deploymentRepositories(deployment)}/`, 'graft.local/lock:']
  return tags.length > 0 && tags.every((tag) => own.some((start) => tag.startsWith(start)))
}
