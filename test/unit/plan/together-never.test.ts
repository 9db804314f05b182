// What the table of a set that switches together may never do, for random sets.

import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

import type { Action, Table } from '../../../src/plan/step.ts'
import { hostOf, planOf, refusal, treeOf, verdictOn } from './build.ts'
import { renderTable } from './render-table.ts'

vi.setConfig({ testTimeout: 60_000 })

const NAMES = ['app', 'bus', 'cache', 'db', 'edge'] as const
const WAYS = ['', 'volumes: ["NAME:/data"]', 'update: {order: stop-first}', 'kind: job', 'network_mode: service:app']

const member = fc.record({
  way: fc.constantFrom(...WAYS),
  needs: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
  place: fc.constantFrom('set/', 'set/', 'set/inner/', ''),
  changes: fc.boolean(),
  runs: fc.constantFrom(true, true, true, false),
})

const cases = fc.record({
  members: fc.tuple(member, member, member, member, member),
  refused: fc.option(fc.integer({ min: 0, max: 4 })),
  restarts: fc.subarray([...NAMES]),
})

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

function treeFor({ members }: Case, generation: (changes: boolean) => number) {
  const files: Record<string, string> = { 'set/set.yaml': 'update: {together: true}\n', 'set/inner/set.yaml': '' }
  members.forEach(({ way, needs, place, changes }, i) => {
    const name = NAMES[i] ?? ''
    // Needs only what comes before it, so that there is no circle.
    const depends = needs.filter((j) => j < i).map((j) => NAMES[j])
    const own = way.includes('service:') && (i === 0 || members[0].way === 'kind: job') ? '' : way
    const number = generation(changes)
    files[`${place}${name}.yaml`] = [
      `generation: ${number}`,
      `image: app:${number}`,
      own.replace('NAME', name),
      depends.length > 0 ? `depends_on: [${depends.join(', ')}]` : '',
      '',
    ].join('\n')
  })
  return treeOf(files, `volumes: {${NAMES.map((name) => `${name}: {}`).join(', ')}}\n`)
}

type Words = (tables: readonly Table[], one: Case, kindOf: (name: string) => string) => readonly string[]

function never(wrong: Words) {
  const property = fc.asyncProperty(cases, async (one) => {
    const before = treeFor(one, () => 1)
    const after = treeFor(one, (changes) => (changes ? 2 : 1))
    const host = await hostOf(after)
    for (const [i, name] of NAMES.entries()) {
      const { runs, way } = one.members[i] ?? { runs: false, way: '' }
      const hosted = way.includes('service:') && !one.members[0].runs
      if (before.leaves.get(name)?.kind === 'job') {
        await host.engine.createMark('shop', `shop_${name}.done-g1`, name, 1)
      } else if (runs && !hosted) await host.put(before, name)
    }
    const refused = one.refused === null ? new Map() : refusal(NAMES[one.refused] ?? '', 'not granted')
    const more = { refused, restarts: new Set(one.restarts) }
    const planned = planOf(after, await host.observe(after), more)
    const found = wrong(planned.tables, one, (name) => verdictOn(planned, name).kind)
    if (found.length > 0) throw new Error([...found, '', ...planned.tables.map(renderTable)].join('\n'))
  })
  return fc.assert(property, { numRuns: 150 })
}

const forward = ({ prepare, commit, cleanup }: Table) => [...prepare, ...commit, ...cleanup].map(({ action }) => action)
const last = (actions: readonly Action[], ...kinds: Action['do'][]) =>
  actions.findLastIndex((action) => kinds.includes(action.do))
const first = (actions: readonly Action[], ...kinds: Action['do'][]) => {
  const found = actions.findIndex((action) => kinds.includes(action.do))
  return found === -1 ? Infinity : found
}

describe('a table of several leaves never', () => {
  it('renames before the last member has passed its gate, or lets go of anything before the last rename', () =>
    never((tables) =>
      tables.flatMap((table) => {
        const actions = forward(table)
        return [
          ...(first(actions, 'rename') < last(actions, 'gate', 'wait-job') ? ['a rename before a gate'] : []),
          ...(first(actions, 'remove', 'tag-image', 'drain') < last(actions, 'rename') ? ['let go too early'] : []),
        ]
      }),
    ))

  it('takes anything down before all that can run beside what is live is up', () =>
    never((tables, { members }) =>
      tables.flatMap((table) => {
        const actions = table.prepare.map(({ action }) => action)
        const stop = first(actions, 'stop')
        return table.leaves.filter((name) => {
          const gate = actions.findIndex((action) => action.do === 'gate' && action.leaf === name)
          const { way, needs } = members[NAMES.findIndex((one) => one === name)] ?? { way: '', needs: [] }
          return way === '' && needs.length === 0 && gate > stop
        })
      }),
    ))

  it('brings a member up before what it depends on', () =>
    never((tables, { members }) =>
      tables.flatMap((table) => {
        const proved = table.prepare.flatMap(({ action }) =>
          action.do === 'gate' || action.do === 'wait-job' ? [action.leaf] : [],
        )
        return proved.filter((name, i) => {
          const own = NAMES.findIndex((one) => one === name)
          const needs = members[own]?.needs.filter((j) => j < own).map((j) => NAMES[j]) ?? []
          return needs.some((need) => need !== undefined && proved.indexOf(need) > i)
        })
      }),
    ))

  it('leaves a member that changes to another table, or to none', () =>
    never((tables, { members }, kindOf) => {
      const inSet = NAMES.filter((_, i) => members[i]?.place !== '' && members[i]?.changes === true)
      const changing = inSet.filter((name) => ['create', 'replace', 'run'].includes(kindOf(name)))
      const used = tables.filter(({ leaves }) => changing.some((name) => leaves.includes(name)))
      if (changing.length === 0) return []
      return [
        ...(used.length === 1 ? [] : [`${used.length} tables`]),
        ...inSet.filter((name) => !changing.includes(name)).map((name) => `not ${name}`),
      ]
    }))
})
