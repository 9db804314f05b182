// Gathers the values of a file of SOPS while its tree is built. Pure.

import { ENCRYPTED, type SopsNode, type SopsValue } from './sops-file.ts'

export interface Collector {
  readonly values: SopsValue[]
  /** Adds a value at a path, and gives its node. */
  add(path: readonly string[], scalar: SopsValue['scalar']): SopsNode
}

export function createCollector(): Collector {
  const values: SopsValue[] = []
  return {
    values,
    add(path, scalar) {
      const encrypted = typeof scalar === 'string' && ENCRYPTED.test(scalar) ? scalar : null
      values.push({ path, encrypted, plain: encrypted === null ? macText(scalar) : '', scalar })
      return { kind: 'value', index: values.length - 1 }
    },
  }
}

/** How SOPS turns a value into the bytes that its MAC is over (sops.ToBytes). */
function macText(scalar: SopsValue['scalar']): string {
  if (scalar === null) return ''
  if (typeof scalar === 'boolean') return scalar ? 'True' : 'False'
  return typeof scalar === 'number' ? plainNumber(scalar) : String(scalar)
}

/** The shortest decimal form, never with an exponent (Go's strconv.FormatFloat with 'f' and -1). */
function plainNumber(value: number): string {
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  if (exponent === undefined) return String(value)
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return point >= digits.length
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
