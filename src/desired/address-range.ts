// Addresses and ranges of addresses, compared as numbers. Pure.

import { isIPv4, isIPv6 } from './schema/addresses.ts'

/** `10.0.0.5`, `10.0.0.0/8`, `::1`, `fd00::/8`. */
export function isAddressRange(text: string): boolean {
  return rangeOf(text) !== null
}

/** Whether an address lies in a range or is equal to it; false where either is none. */
export function isInRange(address: string, range: string): boolean {
  const given = rangeOf(address)
  const wanted = rangeOf(range)
  if (given === null || wanted === null || given.width !== wanted.width || given.bits < wanted.bits) return false
  const shift = BigInt(wanted.width - wanted.bits)
  return given.value >> shift === wanted.value >> shift
}

/** Whether it stands for every address of its version: `0.0.0.0` and `::`. */
export function isUnspecified(address: string): boolean {
  const found = rangeOf(address)
  return found !== null && found.value === 0n && found.bits === found.width
}

interface Range {
  readonly value: bigint
  /** 32 or 128. */
  readonly width: number
  /** How many of its bits are fixed. */
  readonly bits: number
}

function rangeOf(text: string): Range | null {
  const [address = '', length, ...more] = text.split('/')
  if (more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return null
  const found = valueOf(address)
  if (found === null) return null
  const bits = length === undefined ? found.width : Number(length)
  return bits > found.width ? null : { ...found, bits }
}

function valueOf(address: string): { value: bigint; width: number } | null {
  if (isIPv4(address)) return { value: groups(address.split('.'), 10, 8n), width: 32 }
  if (!isIPv6(address)) return null
  const [before = '', after] = address.split('::')
  const head = before === '' ? [] : before.split(':')
  const rest = after === undefined || after === '' ? [] : after.split(':')
  const middle = after === undefined ? [] : Array.from({ length: 8 - head.length - rest.length }, () => '0')
  const value = groups([...head, ...middle, ...rest], 16, 16n)
  // An IPv4 address in the form of an IPv6 one is that IPv4 address (RFC 4291, section 2.5.5.2).
  return value >> 32n === 0xffffn ? { value: value & 0xffffffffn, width: 32 } : { value, width: 128 }
}

function groups(parts: readonly string[], radix: number, bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(Number.parseInt(part, radix)), 0n)
}
