// graft's own two forms of a check: an HTTP request and a TCP connection.

import * as z from 'zod'
import type { HttpProbe, TcpProbe } from '../../tree.ts'
import { integer, PORT_BOUNDS } from '../numbers.ts'
import { report, scalar } from '../scalar.ts'
import { mapping, plainValue, record } from '../shapes.ts'
import { cut } from '../show.ts'
import { choice, text } from '../texts.ts'

type Range = readonly [number, number]

const statusRange = scalar<Range>({
  types: ['string', 'number'],
  expected: 'a status code or a range of them',
  example: '200-399',
  json: { type: ['string', 'integer'], pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$', minimum: 100, maximum: 599 },
  read: (value) => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(value))
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (match === null) return null
    return last < first
      ? { mistake: `the range ${String(value)} ends before it starts`, remedy: `write ${last}-${first}` }
      : { value: [first, last] }
  },
})

const statuses = z
  .union([statusRange.transform((one) => [one]), z.array(statusRange)])
  .transform((ranges) => [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1]))

const headerValue = plainValue().transform((value, context) => {
  if (/[\r\n]/.test(value)) report(context, { mistake: 'a header has one line', remedy: 'write it on one line' })
  return value
})

const headers = record(headerValue, (name) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
    ? null
    : { mistake: `"${cut(name)}" is no name of a header`, remedy: 'write for example Host' },
)

export const httpProbe = mapping({
  port: integer(PORT_BOUNDS).meta({ description: 'Port inside the container' }),
  path: text({ expected: 'a path that starts with /', example: '/healthcheck', pattern: '^/[^\\s]*$' })
    .optional()
    .meta({ description: '/ where it is left out' }),
  scheme: choice(['http', 'https']).optional(),
  headers: headers.optional(),
  status: statuses.optional().meta({ description: 'Codes that mean healthy; 200-399 where it is left out' }),
}).transform(
  ({ port, path = '/', scheme = 'http', headers: sent = {}, status = [[200, 399] as const] }): HttpProbe => ({
    kind: 'http',
    port,
    path,
    scheme,
    headers: sent,
    status,
  }),
)

export const tcpProbe = mapping({
  port: integer(PORT_BOUNDS).meta({ description: 'Port inside the container' }),
}).transform(({ port }): TcpProbe => ({ kind: 'tcp', port }))
