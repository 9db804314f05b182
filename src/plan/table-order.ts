// Waits between tables that are wished for and not needed: each is left out where tables would wait in a circle.

import type { Table } from './step.ts'

/** `first` before `next`, both ids of tables. */
export interface Wish {
  readonly first: string
  readonly next: string
}

/** The tables with those wishes in their `after` that can be had, tried in the order given. */
export function withWishes(tables: readonly Table[], wishes: readonly Wish[]): readonly Table[] {
  if (wishes.length === 0) return tables
  const after = new Map(tables.map((table) => [table.id, [...table.after]]))
  for (const { first, next } of wishes) {
    const waits = after.get(next)
    if (waits === undefined || !after.has(first) || waits.includes(first)) continue
    if (!waitsFor(first, next, after)) waits.push(first)
  }
  return tables.map((table) => ({ ...table, after: after.get(table.id) ?? table.after }))
}

/** The tables of `ids` one after the other, in an order that fits what they wait for already. */
export function oneByOne(tables: readonly Table[], ids: ReadonlySet<string>): readonly Table[] {
  if (ids.size < 2) return tables
  const byId = new Map(tables.map((table) => [table.id, table]))
  const ordered: string[] = []
  const seen = new Set<string>()
  for (const start of tables) {
    const stack = [{ id: start.id, open: true }]
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (!top.open) {
        if (ids.has(top.id)) ordered.push(top.id)
        continue
      }
      if (seen.has(top.id)) continue
      seen.add(top.id)
      stack.push({ id: top.id, open: false })
      for (const id of byId.get(top.id)?.after.toReversed() ?? []) if (!seen.has(id)) stack.push({ id, open: true })
    }
  }
  const before = new Map(ordered.slice(1).map((id, i) => [id, ordered[i] ?? id]))
  return tables.map((table) => {
    const first = before.get(table.id)
    return first === undefined || table.after.includes(first) ? table : { ...table, after: [...table.after, first] }
  })
}

/** Whether `id` or anything it waits for waits for `other`. */
function waitsFor(id: string, other: string, after: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>()
  const open = [id]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === other) return true
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(after.get(next) ?? []))
  }
  return false
}
