// Network addresses: IP, MAC, host names.

import * as z from 'zod'
import { containsSymbol } from '../symbolic.ts'
import { scalar } from './scalar.ts'
import { text } from './texts.ts'

export function isIPv4(found: string): boolean {
  return z.regexes.ipv4.test(found)
}

export function isIPv6(found: string): boolean {
  return found.length <= 45 && z.regexes.ipv6.test(found)
}

/** IPv4 or IPv6, in the form it was written; a symbol counts as one. */
export function isAddress(found: string): boolean {
  return containsSymbol(found) || isIPv4(found) || isIPv6(found)
}

/** `[::1]` → `::1`. */
export function withoutBrackets(found: string): string {
  return found.startsWith('[') && found.endsWith(']') ? found.slice(1, -1) : found
}

/** An IP address of either version, or of one. */
export function ip(version?: 4 | 6): z.ZodType<string> {
  return scalar({
    types: ['string'],
    expected: version === undefined ? 'an IP address' : `an IPv${version} address`,
    example: version === 6 ? '2001:db8::10' : '172.20.0.10',
    json: {
      type: 'string',
      pattern: version === 4 ? '^[0-9.]+$' : version === 6 ? '^[0-9a-fA-F:.]+$' : '^[0-9a-fA-F:.]+$',
    },
    read: (value) => {
      const found = String(value)
      const right = (version !== 6 && isIPv4(found)) || (version !== 4 && isIPv6(found))
      return right ? { value: found.toLowerCase() } : null
    },
  })
}

/** An address range: `172.20.0.0/16`. */
export function subnet(): z.ZodType<string> {
  return scalar({
    types: ['string'],
    expected: 'an address range',
    example: '172.20.0.0/16',
    json: { type: 'string', pattern: '^[0-9a-fA-F:.]+/[0-9]{1,3}$' },
    read: (value) => {
      const found = String(value)
      const right = found.length <= 50 && (z.regexes.cidrv4.test(found) || z.regexes.cidrv6.test(found))
      return right ? { value: found.toLowerCase() } : null
    },
  })
}

export function mac(): z.ZodType<string> {
  return text({
    expected: 'a MAC address',
    example: '"02:42:ac:11:00:02"',
    pattern: '^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$',
    canonical: (found) => found.toLowerCase().replaceAll('-', ':'),
  })
}

/** A host or domain name (RFC 1123), at most 253 characters. */
export function domainName(example: string): z.ZodType<string> {
  return text({
    expected: 'a host name of letters, digits, hyphens and dots',
    example,
    pattern:
      '^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$',
  })
}
