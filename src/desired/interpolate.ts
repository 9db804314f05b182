// Variables in texts, as the Compose Specification's "Interpolation" has them: `$NAME`, `${NAME}`, `${NAME:-default}`,
// `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`, `${NAME:+other}`, `${NAME+other}`, `$$`; operands nest.
// Unlike Compose, a variable that nobody sets is a fault, not an empty text. Pure.

import { symbolFor } from './symbolic.ts'

/** Characters of one text after interpolation. */
export const TEXT_LIMIT = 64 * 1024
/** How deep operands may nest. */
const NESTING_LIMIT = 20

export interface Variable {
  /** The value here: the host's own, or an example. */
  readonly text: string
  /** The value as the repository alone determines it; null for a host variable itself. */
  readonly symbolic: string | null
  /** Whether a host variable had a part in it. */
  readonly fromHost: boolean
}

export type Lookup = (name: string) => Variable | null

/** `at`: index of the outermost `$` it belongs to. */
export type TemplateFault = { readonly at: number } & (
  | { readonly kind: 'unset'; readonly name: string }
  | { readonly kind: 'required'; readonly name: string; readonly message: string }
  | { readonly kind: 'invalid'; readonly text: string }
  | { readonly kind: 'too-long' }
)

export interface Interpolated {
  readonly text: string
  /** The text with host variables as symbols; equal to `text` where no host variable had a part in it. */
  readonly symbolic: string
  readonly fromHost: boolean
  readonly faults: readonly TemplateFault[]
}

/** Fills in the variables of one text. `limit`: characters of the result. */
export function interpolate(template: string, lookup: Lookup, limit: number = TEXT_LIMIT): Interpolated {
  if (!template.includes('$')) return { text: template, symbolic: template, fromHost: false, faults: [] }
  const state: State = { lookup, limit, faults: [], fromHost: false, at: 0 }
  const { text, symbolic } = evaluate(template, 0, state)
  return { text, symbolic: state.fromHost ? symbolic : text, fromHost: state.fromHost, faults: state.faults }
}

interface State {
  readonly lookup: Lookup
  readonly limit: number
  readonly faults: TemplateFault[]
  fromHost: boolean
  at: number
}

interface Pair {
  readonly text: string
  readonly symbolic: string
}

const PLAIN_NAME = /[A-Za-z_][A-Za-z0-9_]*/y

function evaluate(template: string, depth: number, state: State): Pair {
  const out = { text: '', symbolic: '' }
  let at = 0
  while (at < template.length) {
    const dollar = template.indexOf('$', at)
    const literal = template.slice(at, dollar < 0 ? undefined : dollar)
    out.text += literal
    out.symbolic += literal
    if (dollar < 0) break
    if (template[dollar + 1] === '$') {
      out.text += '$'
      out.symbolic += '$'
      at = dollar + 2
      continue
    }
    if (depth === 0) state.at = dollar
    const reference = depth > NESTING_LIMIT ? null : referenceAt(template, dollar)
    if (reference === null) {
      state.faults.push({ at: state.at, kind: 'invalid', text: template.slice(dollar, dollar + 40) })
      break
    }
    const value = resolve(reference, depth, state)
    out.text += value.text
    out.symbolic += value.symbolic
    at = reference.end
    if (out.text.length > state.limit || out.symbolic.length > state.limit * 2) {
      state.faults.push({ at: state.at, kind: 'too-long' })
      return { text: '', symbolic: '' }
    }
  }
  return out
}

interface Reference {
  readonly name: string
  /** '', `:-`, `-`, `:?`, `?`, `:+`, `+`. */
  readonly operator: string
  readonly operand: string
  /** Index after the reference. */
  readonly end: number
}

function referenceAt(template: string, dollar: number): Reference | null {
  const braced = template[dollar + 1] === '{'
  PLAIN_NAME.lastIndex = dollar + (braced ? 2 : 1)
  const name = PLAIN_NAME.exec(template)?.[0]
  if (name === undefined) return null
  const afterName = PLAIN_NAME.lastIndex
  if (!braced) return { name, operator: '', operand: '', end: afterName }
  if (template[afterName] === '}') return { name, operator: '', operand: '', end: afterName + 1 }
  const operator = /^:?[-?+]/.exec(template.slice(afterName, afterName + 2))?.[0]
  const close = operator === undefined ? -1 : closingBrace(template, afterName + operator.length)
  if (operator === undefined || close < 0) return null
  return { name, operator, operand: template.slice(afterName + operator.length, close), end: close + 1 }
}

/** Index of the brace that closes the reference whose operand starts at `from`; -1 where there is none. */
function closingBrace(template: string, from: number): number {
  let open = 1
  for (let at = from; at < template.length; at++) {
    if (template[at] === '$' && template[at + 1] === '$') at++
    else if (template[at] === '$' && template[at + 1] === '{') {
      open++
      at++
    } else if (template[at] === '}' && --open === 0) return at
  }
  return -1
}

function resolve(reference: Reference, depth: number, state: State): Pair {
  const { name, operator, operand } = reference
  const variable = state.lookup(name)
  if (variable?.fromHost === true) state.fromHost = true
  const text = realValue(reference, variable, depth, state)
  if (variable === null || !variable.fromHost) return text
  if (operator === '' || operator.endsWith('?')) {
    return { text: text.text, symbolic: variable.symbolic ?? symbolFor(name, '') }
  }
  // Which branch a host takes is its own affair: the symbol holds the value and the operand both.
  const other = evaluate(operand, depth + 1, { ...state, faults: [] }).symbolic
  const own = variable.symbolic === null ? '' : `=${variable.symbolic}`
  return { text: text.text, symbolic: symbolFor(name, `${own}${operator}${other}`) }
}

function realValue(reference: Reference, variable: Variable | null, depth: number, state: State): Pair {
  const { name, operator, operand } = reference
  const own: Pair | null = variable && { text: variable.text, symbolic: variable.symbolic ?? variable.text }
  const present = own !== null && (!operator.startsWith(':') || own.text !== '')
  if (operator.endsWith('+')) return present ? evaluate(operand, depth + 1, state) : { text: '', symbolic: '' }
  if (own !== null && present) return own
  if (operator.endsWith('-')) return evaluate(operand, depth + 1, state)
  if (operator === '') state.faults.push({ at: state.at, kind: 'unset', name })
  else state.faults.push({ at: state.at, kind: 'required', name, message: evaluate(operand, depth + 1, state).text })
  return { text: '', symbolic: '' }
}
