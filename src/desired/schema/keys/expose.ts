// `expose`: ports that the container listens on, ranges expanded (Compose Specification, services.expose).

import * as z from 'zod'
import { containsSymbol } from '../../symbolic.ts'
import { portRange } from '../numbers.ts'
import { report, scalar } from '../scalar.ts'
import { MOST_PORTS } from './port-count.ts'

const exposed = scalar<string[]>({
  types: ['string', 'number'],
  expected: 'a port of the container, as PORT[/PROTOCOL]',
  example: '"8080" or 53/udp',
  json: { type: ['string', 'integer'], pattern: '^[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?$' },
  readsSymbols: true,
  read: (value) => {
    if (containsSymbol(String(value))) return { value: [String(value)] }
    const match = /^([^/]*)(?:\/(tcp|udp|sctp))?$/.exec(String(value))
    if (match === null) return null
    const range = portRange(match[1] ?? '', 1)
    if (!('value' in range)) return range
    const { first, last } = range.value
    return { value: Array.from({ length: last - first + 1 }, (_, step) => `${first + step}/${match[2] ?? 'tcp'}`) }
  },
})

/** `PORT/PROTOCOL`, each once, in order of the numbers. */
export const expose = z.array(exposed).transform((lines, context): string[] => {
  const all = new Set<string>()
  for (const [index, line] of lines.entries()) {
    for (const port of line) all.add(port)
    if (all.size > MOST_PORTS) {
      report(context, { mistake: `more than ${MOST_PORTS} ports`, remedy: 'expose fewer' }, [index])
      break
    }
  }
  return [...all].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : a > b ? 1 : 0))
})
