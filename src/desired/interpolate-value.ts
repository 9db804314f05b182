// Interpolation of a whole YAML value: every text in it, keys left alone. Pure.

import { TEXT_LIMIT, interpolate } from './interpolate.ts'
import type { TemplateFault } from './interpolate.ts'
import type { Scope } from './scope.ts'
import type { ValuePath } from './yaml-document.ts'

/** Characters of all texts of one file after interpolation. */
const TOTAL_LIMIT = 1024 * 1024

export interface InterpolatedValue {
  readonly value: unknown
  /** The same with host variables as symbols; the very same object where none had a part in it. */
  readonly symbolic: unknown
  readonly faults: readonly { readonly path: ValuePath; readonly fault: TemplateFault }[]
}

/** `except`: keys at the top level, or `KEY.KEY` below it, whose values are taken as they are. */
export function interpolateValue(
  value: unknown,
  scope: Scope,
  except: ReadonlySet<string> = new Set(),
): InterpolatedValue {
  const faults: { path: ValuePath; fault: TemplateFault }[] = []
  let left = TOTAL_LIMIT

  const walk = (node: unknown, path: ValuePath): { value: unknown; symbolic: unknown } => {
    if (typeof node === 'string') {
      if (!node.includes('$')) return { value: node, symbolic: node }
      const result = interpolate(node, scope.lookup, Math.max(0, Math.min(TEXT_LIMIT, left)))
      left -= result.text.length
      for (const fault of result.faults) faults.push({ path, fault })
      return { value: result.text, symbolic: result.symbolic }
    }
    if (node === null || typeof node !== 'object') return { value: node, symbolic: node }
    const real: Record<string | number, unknown> = Array.isArray(node) ? ([] as unknown as Record<number, unknown>) : {}
    const symbolic: Record<string | number, unknown> = Array.isArray(node)
      ? ([] as unknown as Record<number, unknown>)
      : {}
    let changed = false
    let hosted = false
    for (const [key, member] of Object.entries(node)) {
      const step = Array.isArray(node) ? Number(key) : key
      const kept = path.length < 2 && except.has([...path, key].join('.'))
      const result = kept ? { value: member, symbolic: member } : walk(member, [...path, step])
      real[step] = result.value
      symbolic[step] = result.symbolic
      if (result.value !== member) changed = true
      if (result.symbolic !== result.value) hosted = true
    }
    const value = changed ? real : node
    return { value, symbolic: hosted ? symbolic : value }
  }

  return { ...walk(value, []), faults }
}
