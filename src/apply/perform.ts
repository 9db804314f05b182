// One action on the engine. The only place where the words of a plan become calls.

import type { Leaf, Tree } from '../desired/tree.ts'
import { withHostname } from '../plan/default-hostname.ts'
import { secretInVolume } from '../plan/image-volumes.ts'
import { failedName, liveName } from '../plan/names.ts'
import { rollbackTag } from '../plan/rollback-tag.ts'
import type { Action, ContainerRef } from '../plan/step.ts'
import { joinedLeaves } from '../plan/swap-order.ts'
import { parseRollbackTag } from '../plan/rollback-tag.ts'
import type { Bench } from './bench.ts'
import { chooseCheck, runCheck } from './check.ts'
import { drain } from './drain.ts'
import { EngineFault } from './engine.ts'
import { passGate } from './gate.ts'
import { SpecFailure, Superseded } from './outcome.ts'
import { prove } from './prove.ts'
import { stillUp } from './still-up.ts'
import { waitForJob } from './wait-job.ts'
import { lastLines } from './log-tail.ts'

/** Rollback images kept for each leaf, besides the one that runs. */
const ROLLBACK_IMAGES = 4

/** `failure` is why the table is being undone; null on the way forward. */
export async function perform(action: Action, bench: Bench, failure: unknown): Promise<void> {
  const { engine, tree } = bench
  switch (action.do) {
    case 'image':
      return fetchImage(action, bench)
    case 'create':
      return create(action.leaf, action.container, bench)
    case 'put-files':
      return engine.putFiles(idOf(action.container, bench), leafOf(action.leaf, tree))
    case 'start':
      return failure === null ? start(action.container, bench) : startAgain(action.container, bench)
    case 'unpause':
      return engine.unpause(idOf(action.container, bench))
    case 'stop':
    case 'keep-down':
      return engine.stop(idOf(action.container, bench))
    case 'restart-policy':
      return engine.setRestartPolicy(idOf(action.container, bench), action.policy)
    case 'rename':
      return engine.rename(idOf(action.container, bench), action.to)
    case 'remove':
      return engine.remove(idOf(action.container, bench))
    case 'gate':
      return gate(action.leaf, action.container, bench)
    case 'still-up':
      return stillUp({ engine, clock: bench.clock, leaf: leafOf(action.leaf, tree), id: idOf(action.container, bench) })
    case 'confirm-unhealthy':
      return confirmUnhealthy(action.leaf, action.container, bench)
    case 'wait-job':
      return job(action.leaf, action.container, bench)
    case 'mark-job-done':
      return engine.createMark(tree.name, action.volume, action.leaf, action.generation)
    case 'drain':
      return letGo(action, bench)
    case 'prove':
      return proveNew(action, bench)
    case 'ingress':
      return followIngress(action.leaves, bench)
    case 'ingress-config': {
      const id = idOf(action.container, bench)
      return engine.putIngressConfig(id, (await bench.ingress.first(tree, id)).text)
    }
    case 'discard':
      return discard(action, bench, failure)
    case 'keep-failed':
      return keepFailed(action.container, action.previous, bench)
    case 'update-limits':
      return engine.updateLimits(idOf(action.container, bench), leafOf(action.leaf, tree), action.fields)
    case 'connect':
      return connect(action.leaf, action.container, action.network, bench)
    case 'disconnect':
      return engine.disconnect(idOf(action.container, bench), action.network)
    case 'tag-image':
      return tagImage(action.leaf, bench)
    case 'create-network': {
      const wish = tree.networks.get(action.network)
      return wish === undefined ? undefined : engine.createNetwork(tree.name, wish)
    }
    case 'remove-network':
      return engine.removeNetwork(action.id)
    case 'create-volume': {
      const wish = tree.volumes.get(action.volume)
      return wish === undefined ? undefined : engine.createVolume(tree.name, wish)
    }
  }
}

function idOf(container: ContainerRef, bench: Bench): string {
  if (container.id !== null) return bench.remade.get(container.id) ?? container.id
  return bench.created.get(container.leaf) ?? container.name
}

function leafOf(name: string, tree: Tree): Leaf {
  const leaf = tree.leaves.get(name)
  if (leaf !== undefined) return leaf
  throw new EngineFault('not-found', `${name} is no longer in the tree`, 'It is planned anew')
}

async function fetchImage(action: Extract<Action, { do: 'image' }>, bench: Bench): Promise<void> {
  const leaf = leafOf(action.leaf, bench.tree)
  const there = action.always ? null : await bench.engine.findImage(action.image)
  const facts =
    there ??
    (await bench.engine.pullImage(action.image, {
      ...(leaf.spec.platform === undefined ? {} : { platform: leaf.spec.platform }),
      signal: bench.signal,
      onProgress: ({ current, total, status }) =>
        bench.report({ kind: 'pull', leaf: leaf.name, current, total, status }),
    }))
  bench.images.set(leaf.name, { facts, reference: action.image })
}

async function create(name: string, candidate: ContainerRef, bench: Bench): Promise<void> {
  const leaf = leafOf(name, bench.tree)
  const image = bench.images.get(name)
  if (image === undefined) throw new EngineFault('not-found', `the image of ${name} is not there`, 'It is planned anew')
  const misplaced = secretInVolume(bench.tree.name, leaf, image.facts)
  if (misplaced !== null) throw new SpecFailure(name, misplaced, [])
  const id = await bench.engine.create({
    name: candidate.name,
    tree: bench.tree,
    leaf: withHostname(leaf, bench.tree, image.facts),
    image: image.facts,
    imageReference: image.reference,
    runDigest: bench.runDigest(leaf),
    joins: await joinsOf(leaf, bench),
  })
  bench.created.set(name, id)
}

/** The containers whose namespaces are joined: the candidates of this table, or what holds their names. */
async function joinsOf(leaf: Leaf, bench: Bench): Promise<Map<string, string>> {
  const joins = new Map<string, string>()
  for (const joined of joinedLeaves(leaf)) {
    const id =
      bench.created.get(joined) ?? (await bench.engine.inspect(liveName(bench.tree.prefix, joined)))?.id ?? null
    if (id === null) {
      const message = `${joined}, whose namespace ${leaf.name} joins, is not there`
      throw new EngineFault('not-found', message, 'It is planned anew')
    }
    joins.set(joined, id)
  }
  return joins
}

/** A command that cannot be run is the spec's fault, on a candidate; anything else that stops a start is the engine's. */
async function start(container: ContainerRef, bench: Bench): Promise<void> {
  try {
    await bench.engine.start(idOf(container, bench))
  } catch (error) {
    if (error instanceof EngineFault && error.kind === 'start-failed') {
      throw new SpecFailure(container.leaf, error.message, await lastLines(bench.engine, idOf(container, bench)))
    }
    throw error
  }
}

/** Before a live container is stopped: `docker container prune` would take it while it is down. Once is enough. */
export async function capture(container: ContainerRef, bench: Bench): Promise<void> {
  if (container.id === null || bench.captured.has(container.id)) return
  const files = bench.tree.leaves.get(container.leaf)?.spec.files ?? {}
  const captured = await bench.engine.capture(container.id, Object.keys(files))
  if (captured !== null) bench.captured.set(container.id, captured)
}

/** The old container comes back, made again where somebody removed it meanwhile. */
async function startAgain(container: ContainerRef, bench: Bench): Promise<void> {
  const captured = container.id === null ? undefined : bench.captured.get(container.id)
  if (captured !== undefined && container.id !== null && (await bench.engine.inspect(container.id)) === null) {
    bench.remade.set(container.id, await bench.engine.recreate(captured))
  }
  await bench.engine.start(idOf(container, bench))
}

async function gate(name: string, container: ContainerRef, bench: Bench): Promise<void> {
  const took = await passGate({
    engine: bench.engine,
    clock: bench.clock,
    leaf: leafOf(name, bench.tree),
    id: idOf(container, bench),
    signal: bench.signal,
    onProbe: ({ healthy, output }) => bench.report({ kind: 'probe', leaf: name, healthy, output }),
  })
  bench.gates.set(name, took)
}

/** What the engine says may be old (a container that was paused): a healthy one is never taken down. */
async function confirmUnhealthy(name: string, container: ContainerRef, bench: Bench): Promise<void> {
  const { engine } = bench
  const leaf = leafOf(name, bench.tree)
  const found = await engine.inspect(idOf(container, bench))
  const check = found === null ? null : chooseCheck(leaf, found)
  if (found === null || check === null) return
  const { healthy } = await runCheck(engine, leaf, found.id, check, Number.POSITIVE_INFINITY)
  if (healthy) throw new Superseded(`${name} passes its health check again`)
}

async function job(name: string, container: ContainerRef, bench: Bench): Promise<void> {
  const { engine, clock, signal } = bench
  const took = await waitForJob({ engine, clock, leaf: leafOf(name, bench.tree), id: idOf(container, bench), signal })
  bench.gates.set(name, took)
}

async function letGo(action: Extract<Action, { do: 'drain' }>, bench: Bench): Promise<void> {
  const { engine, clock, closing } = bench
  const id = idOf(action.container, bench)
  const how = await drain({ engine, clock, id, milliseconds: action.milliseconds, signal: closing })
  bench.drains.set(action.leaf, how)
}

async function proveNew(action: Extract<Action, { do: 'prove' }>, bench: Bench): Promise<void> {
  const { engine, clock, closing } = bench
  const how = await prove({
    engine,
    clock,
    leaf: leafOf(action.leaf, bench.tree),
    id: idOf(action.container, bench),
    restarts: action.container.id === null ? 0 : null,
    old: idOf(action.old, bench),
    milliseconds: action.milliseconds,
    closing,
    onProbe: ({ healthy, output }) => bench.report({ kind: 'probe', leaf: action.leaf, healthy, output }),
  })
  bench.drains.set(action.leaf, how)
}

async function followIngress(leaves: readonly string[], bench: Bench): Promise<void> {
  const leftOut = await bench.ingress.follow(bench.tree)
  for (const leaf of leaves) {
    const words = leftOut.get(leaf)
    if (words !== undefined) throw new SpecFailure(leaf, `the ingress does not take its ports: ${words}`, [])
  }
}

/** A candidate whose table failed: kept for its log where its spec is to blame, else removed without a trace. */
async function discard(
  { container, previous, followers = [] }: Extract<Action, { do: 'discard' }>,
  bench: Bench,
  failure: unknown,
): Promise<void> {
  const found = await bench.engine.inspect(idOf(container, bench))
  if (found === null || found.labels.deployment !== bench.tree.name) return
  const own: ContainerRef = { ...container, id: found.id }
  const isToBlame = failure instanceof SpecFailure && [container.leaf, ...followers].includes(failure.leaf)
  if (isToBlame) return keepFailed(own, previous, bench)
  await bench.engine.stop(found.id)
  await onceDown(() => bench.engine.remove(found.id))
}

/** What stays of a container that was stopped, and will not be started by its engine, is for the next turn. */
export class DownButThere extends Error {}

async function onceDown(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new DownButThere(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

async function keepFailed(container: ContainerRef, previous: string | null, bench: Bench): Promise<void> {
  const { engine, tree } = bench
  const id = idOf(container, bench)
  await engine.setRestartPolicy(id, 'no')
  await engine.stop(id)
  await onceDown(async () => {
    const name = failedName(tree.prefix, container.leaf)
    if (previous !== null && previous !== id) await engine.remove(previous)
    const other = await engine.inspect(name)
    if (other !== null && other.id !== id && other.labels.deployment === tree.name) await engine.remove(other.id)
    await engine.rename(id, name)
  })
}

async function connect(name: string, container: ContainerRef, key: string, bench: Bench): Promise<void> {
  const network = bench.tree.networks.get(key)?.name ?? key
  await bench.engine.connect(idOf(container, bench), leafOf(name, bench.tree), key, network)
}

async function tagImage(name: string, bench: Bench): Promise<void> {
  const { engine, tree } = bench
  const live = await engine.inspect(liveName(tree.prefix, name))
  if (live === null || live.labels.deployment !== tree.name) return
  const { generation, imageId } = live.labels
  const own = rollbackTag(tree.name, name, generation, imageId)
  await engine.tagImage(imageId, own)
  const others = (await engine.rollbackTags(tree.name, name)).filter((tag) => tag !== own)
  const byGeneration = others.toSorted(
    (a, b) => (parseRollbackTag(b)?.generation ?? 0) - (parseRollbackTag(a)?.generation ?? 0),
  )
  for (const tag of byGeneration.slice(ROLLBACK_IMAGES)) await engine.removeTag(tag)
}
