// Trees, hosts and plans for tests, so that a test reads like a sentence. Leaves come from YAML through graft's own
// reader, and what is on the engine was put there through the engine in memory: nothing here is made up by hand.

import { createHmac } from 'node:crypto'

import type { Problem } from '../../../src/desired/problem.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { virtualClock, type VirtualClock } from '../../../src/engine/memory/clock.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { memoryEngine, type MemoryEngine, type MemoryEngineOptions } from '../../../src/engine/memory/memory-engine.ts'
import { withHostname } from '../../../src/plan/default-hostname.ts'
import { candidateName, failedName, liveName, retiredName } from '../../../src/plan/names.ts'
import type { Observed, ObservedContainer } from '../../../src/plan/observed.ts'
import { plan } from '../../../src/plan/plan.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import { createRunDigest } from '../../../src/plan/run-digest.ts'
import type { Role } from '../../../src/plan/step.ts'
import { joinedLeaves } from '../../../src/plan/swap-order.ts'
import type { Plan, Verdict } from '../../../src/plan/verdict.ts'
import { snapshotOf } from '../desired/snapshot-of.ts'

export const NOW = Date.UTC(2030, 0, 1)
export const runDigest = createRunDigest(createHmac('sha256', 'test').update('key').digest())

/** Leaves by name as YAML; `deployment.yaml` is `name: shop` with `deployment` appended. */
export function treeOf(leaves: Readonly<Record<string, string>>, deployment = ''): Tree {
  const files: Record<string, string> = { 'deployment.yaml': `name: shop\nformat: 1\n${deployment}` }
  for (const [name, yaml] of Object.entries(leaves)) files[name.includes('.') ? name : `${name}.yaml`] = yaml
  const { tree, problems } = createReader().read(snapshotOf(files), { host: null })
  if (tree === null) throw new Error(problems.map(({ file, message }) => `${file}: ${message}`).join('\n'))
  return tree
}

/** A leaf's YAML: generation, and what else it says. `image` is `app:GENERATION`. */
export function leaf(generation: number, more = ''): string {
  return `generation: ${generation}\nimage: app:${generation}\n${more}\n`
}

export function job(generation: number, more = ''): string {
  return leaf(generation, `kind: job\n${more}`)
}

export function leafIn(tree: Tree, name: string): Leaf {
  const found = tree.leaves.get(name)
  if (found === undefined) throw new Error(`no leaf ${name}`)
  return found
}

export interface Put {
  readonly role?: Role
  /** Instead of the name that the role gives. */
  readonly name?: string
  /** `exited` stands for an exit by itself with `exitCode`, `stopped` for a stop from outside. */
  readonly state?: 'created' | 'running' | 'paused' | 'exited' | 'stopped'
  readonly exitCode?: number
  /** Left out: the authored one for what is live, else `no`. */
  readonly policy?: string
}

export interface Host {
  readonly engine: MemoryEngine
  readonly clock: VirtualClock
  /** Creates a container of the leaf as the tree has it. Resolves to its id. */
  put(tree: Tree, leaf: string, put?: Put): Promise<string>
  observe(tree: Tree): Promise<Observed>
}

/** An engine that has the networks, volumes and images of the tree. */
export async function hostOf(
  tree: Tree,
  image: ImageDefinition = {},
  options: Omit<MemoryEngineOptions, 'clock'> = {},
): Promise<Host> {
  const clock = virtualClock(NOW)
  const engine = memoryEngine({ clock, ...options })
  await furnish(engine, tree, image)
  return {
    engine,
    clock,
    async put(of, name, put = {}) {
      await furnish(engine, of, image)
      const leaf = leafIn(of, name)
      const facts = await engine.findImage(leaf.spec.image)
      if (facts === null) throw new Error('no image')
      const [joined] = joinedLeaves(leaf)
      const host = joined === undefined ? null : await engine.inspect(liveName(of.prefix, joined))
      const { role = 'live' } = put
      // A job that is live has run to its end.
      const isDone = leaf.kind === 'job' && role === 'live'
      const { state = isDone ? 'exited' : 'running', exitCode = isDone ? 0 : 1 } = put
      const id = await engine.create({
        name: `${of.prefix}${name}.being-made`,
        tree: of,
        leaf: withHostname(leaf, of, facts),
        image: facts,
        imageReference: leaf.spec.image,
        runDigest: runDigest(leaf),
        joins: new Map(joined === undefined || host === null ? [] : [[joined, host.id]]),
      })
      await engine.rename(id, put.name ?? nameOf(of.prefix, name, role, id))
      if (state !== 'created') await engine.start(id)
      if (state === 'stopped') await engine.stop(id)
      if (state === 'paused') engine.pause(id)
      if (state === 'exited') engine.kill(id, exitCode)
      const policy = put.policy ?? (role === 'live' && leaf.kind === 'container' ? leaf.spec.restart : 'no')
      await engine.setRestartPolicy(id, policy)
      await clock.advance(1000)
      return id
    },
    observe: (of) =>
      engine.observe(
        of.name,
        [...of.leaves.values()].map(({ spec }) => spec.image),
      ),
  }
}

async function furnish(engine: MemoryEngine, tree: Tree, image: ImageDefinition): Promise<void> {
  for (const wish of tree.networks.values()) if (!wish.external) await engine.createNetwork(tree.name, wish)
  for (const wish of tree.volumes.values()) if (!wish.external) await engine.createVolume(tree.name, wish)
  for (const { spec } of tree.leaves.values()) {
    if ((await engine.findImage(spec.image)) === null) engine.addImage(spec.image, image)
  }
}

export function nameOf(prefix: string, leaf: string, role: Role, id: string): string {
  if (role === 'live') return liveName(prefix, leaf)
  if (role === 'candidate') return candidateName(prefix, leaf)
  return role === 'failed' ? failedName(prefix, leaf) : retiredName(prefix, leaf, id)
}

export function inputOf(tree: Tree, observed: Observed, more: Partial<PlanInput> = {}): PlanInput {
  return {
    tree,
    observed,
    refused: new Map(),
    departed: new Map(),
    runDigest,
    mirror: (reference) => reference,
    waits: new Map(),
    busy: new Set(),
    removals: { limit: 100, confirmed: false },
    probed: new Map(),
    ingress: new Map(),
    leftOut: new Set(),
    restarts: new Set(),
    gaps: new Map(),
    now: NOW,
    ...more,
  }
}

export function planOf(tree: Tree, observed: Observed, more: Partial<PlanInput> = {}): Plan {
  return plan(inputOf(tree, observed, more))
}

export function verdictOn(planned: Plan, leaf: string): Verdict {
  const verdict = planned.verdicts.find((candidate) => candidate.leaf === leaf)
  if (verdict === undefined) throw new Error(`no verdict on ${leaf}`)
  return verdict
}

/** The look with one container changed in a way that the engine in memory has no call for. */
export function withContainer(observed: Observed, name: string, change: Partial<ObservedContainer>): Observed {
  const containers = observed.containers.map((one) => (one.name === name ? { ...one, ...change } : one))
  return { ...observed, containers }
}

export function refusal(leaf: string, message: string): ReadonlyMap<string, Problem> {
  const place = { file: `${leaf}.yaml`, line: 1, column: 1, text: null }
  return new Map([[leaf, { ...place, message, remedy: 'write another one', leaf, severity: 'held' }]])
}
