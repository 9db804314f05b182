// Which variables a place in the tree sees: its own set's, then those further out, then the deployment's. Pure.

import { TEXT_LIMIT, interpolate } from './interpolate.ts'
import type { Lookup, TemplateFault, Variable } from './interpolate.ts'

/** Characters of all variables of one set: they may repeat each other. */
const TOTAL_LIMIT = 1024 * 1024

export interface Scope {
  readonly lookup: Lookup
  /** Every name that has a value here, for suggestions. */
  readonly names: () => string[]
}

/** A variable of a set whose own value cannot be worked out. */
export interface VariableFault {
  readonly name: string
  readonly fault: TemplateFault | { readonly kind: 'cycle'; readonly through: readonly string[] }
}

/** What the host supplies: its own values, or the examples. */
export function hostScope(values: ReadonlyMap<string, string>, prefix: string): Scope {
  const variables = new Map<string, Variable>()
  for (const [name, text] of values) variables.set(name, { text, symbolic: null, fromHost: true })
  variables.set('prefix', { text: prefix, symbolic: prefix, fromHost: false })
  return { lookup: (name) => variables.get(name) ?? null, names: () => [...variables.keys()] }
}

/**
 * The scope of a set inside `outer`. Values may use each other and what lies further out; a value that names itself
 * means the outer one. Every value is worked out once, here.
 */
export function innerScope(
  outer: Scope,
  templates: ReadonlyMap<string, string>,
): { scope: Scope; faults: VariableFault[] } {
  const own = new Map<string, Variable>()
  const faults: VariableFault[] = []
  const busy: string[] = []
  let left = TOTAL_LIMIT

  const valueOf = (name: string): Variable | null => {
    const done = own.get(name)
    if (done !== undefined) return done
    const template = templates.get(name)
    if (template === undefined || busy.at(-1) === name) return outer.lookup(name)
    if (busy.includes(name)) {
      faults.push({ name, fault: { kind: 'cycle', through: [...busy.slice(busy.indexOf(name)), name] } })
      return { text: '', symbolic: '', fromHost: false }
    }
    busy.push(name)
    const result = interpolate(template, valueOf, Math.max(0, Math.min(TEXT_LIMIT, left)))
    left -= result.text.length
    busy.pop()
    for (const fault of result.faults) faults.push({ name, fault })
    const variable = { text: result.text, symbolic: result.symbolic, fromHost: result.fromHost }
    own.set(name, variable)
    return variable
  }

  for (const name of templates.keys()) valueOf(name)
  return {
    scope: {
      lookup: (name) => own.get(name) ?? outer.lookup(name),
      names: () => [...new Set([...own.keys(), ...outer.names()])],
    },
    faults,
  }
}
