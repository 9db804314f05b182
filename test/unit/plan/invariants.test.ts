// What may never be in a plan, for random trees and whatever random crashes and hands left on the engine.

import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { Observed } from '../../../src/plan/observed.ts'
import type { Action, ContainerRef, Table } from '../../../src/plan/step.ts'
import { swapOrder } from '../../../src/plan/swap-order.ts'
import { hostOf, planOf, runDigest, NOW, treeOf, verdictOn, type Put } from './build.ts'
import { renderTable } from './render-table.ts'

// Many runs each; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

const NAMES = ['app', 'bus', 'cache', 'db'] as const
const DEPLOYMENT = 'volumes: {data: {}}\n'

const spec = fc.constantFrom(
  '',
  'volumes: ["data:/data"]',
  'ports: ["8080:80"]',
  'ports: ["9090:80"]',
  'networks: {default: {aliases: [alias]}}',
  'restart: "no"',
  'update: {order: stop-first}',
)

interface LeafChoice {
  readonly generation: number
  readonly spec: string
  readonly kind: 'container' | 'job'
  readonly needs: readonly number[]
  readonly joins: boolean
  readonly set: '' | 'stopped' | 'suspended' | 'together'
}

const leafChoice: fc.Arbitrary<LeafChoice | null> = fc.option(
  fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    spec,
    kind: fc.constantFrom('container', 'container', 'container', 'job'),
    needs: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
    joins: fc.boolean(),
    set: fc.constantFrom('', '', '', 'stopped', 'suspended', 'together', 'together', 'together'),
  }),
)

const trees = fc.tuple(leafChoice, leafChoice, leafChoice, leafChoice).map((choices) => {
  const files: Record<string, string> = {
    'stopped/set.yaml': 'state: stopped\n',
    'suspended/set.yaml': 'suspend: true\n',
    'together/set.yaml': 'update: {together: true}\n',
  }
  choices.forEach((choice, i) => {
    if (choice === null) return
    // Needs only what comes before it, so that there is no cycle.
    const needs = choice.needs.filter((j) => j < i && choices[j] !== null).map((j) => NAMES[j])
    const joins = choice.joins && i > 0 && choices[0]?.kind === 'container' && choice.kind === 'container'
    files[`${choice.set === '' ? '' : `${choice.set}/`}${NAMES[i]}.yaml`] = [
      `generation: ${choice.generation}`,
      `image: app:${choice.generation}`,
      ...(choice.kind === 'job' ? ['kind: job'] : []),
      ...(needs.length > 0 ? [`depends_on: [${needs.join(', ')}]`] : []),
      joins ? 'network_mode: service:app' : choice.kind === 'job' && choice.spec.includes('restart') ? '' : choice.spec,
      '',
    ].join('\n')
  })
  return () => treeOf(files, DEPLOYMENT)
})

interface Junk {
  readonly leaf: string
  readonly old: boolean
  readonly put: Put
}

const junk: fc.Arbitrary<readonly Junk[]> = fc.array(
  fc.record({
    leaf: fc.constantFrom(...NAMES),
    old: fc.boolean(),
    put: fc.record({
      role: fc.constantFrom('live', 'live', 'live', 'candidate', 'retired', 'failed'),
      state: fc.constantFrom('created', 'running', 'running', 'paused', 'exited', 'stopped'),
      exitCode: fc.constantFrom(0, 1, 137),
      policy: fc.constantFrom('always', 'no'),
    }),
  }),
  { maxLength: 7 },
)

interface Case {
  readonly tree: Tree
  readonly observed: Observed
  readonly tables: readonly Table[]
  readonly planned: ReturnType<typeof planOf>
}

const settings = fc.record({
  limit: fc.integer({ min: 0, max: 3 }),
  busy: fc.subarray([...NAMES], { maxLength: 1 }),
  waiting: fc.subarray([...NAMES], { maxLength: 1 }),
  restarts: fc.subarray([...NAMES]),
})

/** `wrong` names what is wrong with a plan; empty for a good one. */
function never(wrong: (one: Case) => readonly string[]) {
  const property = fc.asyncProperty(
    trees,
    trees,
    junk,
    settings,
    async (wanted, before, left, { limit, busy, waiting, restarts }) => {
      const readable = [before, wanted].map(readOrNull)
      const [old, tree] = readable
      fc.pre(old !== null && old !== undefined && tree !== null && tree !== undefined)
      const host = await hostOf(tree)
      for (const one of left) {
        const from = one.old ? old : tree
        if (!from.leaves.has(one.leaf)) continue
        try {
          await host.put(from, one.leaf, one.put)
        } catch (error) {
          // Its name or its port was taken, or the host of its namespace is not there: it stays as far as it came.
          if (!(error instanceof EngineFault)) throw error
        }
      }
      const observed = await host.observe(tree)
      const waits = new Map(
        waiting.flatMap((name) => {
          const leaf = tree.leaves.get(name)
          if (leaf === undefined) return []
          return [
            [name, { generation: leaf.generation, digest: runDigest(leaf), until: NOW + 9, because: 'x' }] as const,
          ]
        }),
      )
      const more = { removals: { limit, confirmed: false }, busy: new Set(busy), waits, restarts: new Set(restarts) }
      const planned = planOf(tree, observed, more)
      const found = wrong({ tree, observed, tables: planned.tables, planned })
      if (found.length > 0) {
        const seen = observed.containers.map(({ name, state, labels }) => `${name} ${state} g${labels.generation}`)
        throw new Error([...found, '', ...seen, '', ...planned.tables.map(renderTable)].join('\n'))
      }
    },
  )
  return fc.assert(property, { numRuns: 80 })
}

function readOrNull(read: () => Tree): Tree | null {
  try {
    return read()
  } catch {
    // Two leaves publish one port, or the like: the reader refuses such a tree.
    return null
  }
}

const forward = ({ prepare, commit, cleanup }: Table) => [...prepare, ...commit, ...cleanup].map(({ action }) => action)

function containerOf(action: Action): ContainerRef | null {
  return 'container' in action ? action.container : null
}

/** What of containers a step changes; a candidate that is to be created has its name for an id. */
class Model {
  readonly running = new Map<string, string>()
  readonly names = new Map<string, string>()
  readonly policies = new Map<string, string>()
  /** `mended`: with the authored policy where the one in force is another, which is what an undo restores. */
  constructor(observed: Observed, mended = false) {
    for (const { id, name, state, labels, restartPolicy } of observed.containers) {
      this.names.set(id, name)
      this.policies.set(id, mended && name === labels.leaf && state !== 'exited' ? labels.restart : restartPolicy)
      if (state === 'running' || state === 'paused' || state === 'restarting') this.running.set(id, labels.leaf)
    }
  }
  do(action: Action): void {
    const container = containerOf(action)
    if (container === null) return
    const id = container.id ?? container.name
    if (action.do === 'create') {
      this.names.set(id, container.name)
      this.policies.set(id, 'no')
    } else if (action.do === 'start' || action.do === 'unpause') this.running.set(id, container.leaf)
    else if (action.do === 'stop') this.running.delete(id)
    else if (action.do === 'rename') this.names.set(id, action.to)
    else if (action.do === 'restart-policy') this.policies.set(id, action.policy)
    else if (action.do === 'remove' || action.do === 'discard' || action.do === 'keep-failed') {
      this.running.delete(id)
      this.names.delete(id)
      this.policies.delete(id)
    }
  }
  lines(): string[] {
    return [...this.names].map(([id, name]) => `${id} ${name} ${this.running.has(id)} ${this.policies.get(id)}`)
  }
}

describe('never', () => {
  it('a second container of an exclusive leaf beside the first', () =>
    never(({ tree, observed, tables }) =>
      tables.flatMap((table) => {
        const model = new Model(observed)
        return forward(table).flatMap((action) => {
          const { leaf: name = '', id = null } = containerOf(action) ?? {}
          const leaf = tree.leaves.get(name)
          const others = [...model.running].filter(([other, of]) => of === name && other !== id)
          model.do(action)
          if (action.do !== 'start' || leaf === undefined || leaf.kind === 'job' || others.length === 0) return []
          const live = observed.containers.find((one) => one.name === name) ?? null
          const facts = observed.images.get(leaf.spec.image) ?? null
          return swapOrder(leaf, tree, facts, live).kind === 'start-first' ? [] : [`a second ${name} is started`]
        })
      }),
    ))

  it('a start-first container is stopped before its successor has passed its gate', () =>
    never(({ planned, tables, observed }) =>
      tables.flatMap((table) =>
        table.leaves.flatMap((name) => {
          const verdict = verdictOn(planned, name)
          if (verdict.kind !== 'replace' || verdict.order?.kind !== 'start-first') return []
          const live = observed.containers.find((one) => one.name === name)
          const actions = forward(table)
          const stop = actions.findIndex((action) => action.do === 'stop' && action.container.id === live?.id)
          const gate = actions.findIndex((action) => action.do === 'gate' && action.leaf === name)
          // What exclusive things move from leaf to leaf stops first, and the plan says so in its table.
          return stop === -1 || stop > gate || table.leaves.length > 1 ? [] : [`${name} is stopped before its gate`]
        }),
      ),
    ))

  it('an undo that leaves something changed, wherever a swap fails', () =>
    never(({ planned, tables, observed }) =>
      tables.flatMap((table) => {
        const kinds = table.leaves.map((name) => verdictOn(planned, name).kind)
        if (!kinds.some((kind) => ['create', 'replace', 'run'].includes(kind))) return []
        const steps = [...table.prepare, ...table.commit]
        return steps.flatMap((_step, last) => {
          const model = new Model(observed)
          const begun = new Set([model, new Model(observed, true)].flatMap((one) => one.lines()))
          for (const { action } of steps.slice(0, last + 1)) model.do(action)
          for (const { undo } of steps.slice(0, last + 1).toReversed()) for (const action of undo) model.do(action)
          const left = model.lines()
          const same = left.length === observed.containers.length && left.every((line) => begun.has(line))
          return same ? [] : [`step ${last + 1} leaves`, ...left]
        })
      }),
    ))

  it('anything that is not this deployment’s', () =>
    never(({ tables, observed }) => {
      const own = new Set(observed.containers.map(({ id }) => id))
      const ids = tables
        .flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
        .flatMap(({ action, undo }) => [action, ...undo])
        .map((action) => containerOf(action)?.id ?? null)
      return ids.filter((id) => id !== null && !own.has(id)).map((id) => `${id} is touched`)
    }))

  it('a leaf in two tables, a table that waits for none that exists, or for itself in a circle', () =>
    never(({ tables }) => {
      const leaves = tables.flatMap((table) => table.leaves)
      const ids = new Set(tables.map(({ id }) => id))
      const done = new Set<string>()
      for (let grew = true; grew;) {
        const ready = tables.filter(({ id, after }) => !done.has(id) && after.every((other) => done.has(other)))
        grew = ready.length > 0
        for (const { id } of ready) done.add(id)
      }
      return [
        ...(new Set(leaves).size === leaves.length ? [] : ['a leaf is in two tables']),
        ...(ids.size === tables.length ? [] : ['two tables have one id']),
        ...tables.flatMap(({ id, after }) =>
          after.filter((other) => !ids.has(other)).map((other) => `${id} → ${other}`),
        ),
        ...[...ids].filter((id) => !done.has(id)).map((id) => `${id} waits for itself`),
      ]
    }))

  it('anything for a leaf that is suspended or being worked on', () =>
    never(({ tree, planned, tables }) => {
      const touched = new Set(tables.flatMap((table) => table.leaves))
      return [...tree.leaves.values()]
        .filter(({ name, suspend }) => suspend || verdictOn(planned, name).because === 'it is being worked on')
        .filter(({ name }) => touched.has(name))
        .map(({ name }) => `${name} is touched`)
    }))

  it('more removals than the limit', () =>
    never(({ planned, tree }) => {
      const removed = planned.verdicts.filter(({ kind }) => kind === 'remove')
      return planned.removalHeld !== null && removed.length > 0 && tree.name === 'shop'
        ? ['removed above the limit']
        : []
    }))
})
