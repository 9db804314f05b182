// `devices` and `gpus` (Compose Specification, services.devices, services.gpus).

import * as z from 'zod'
import type { Device, GpuRequest } from '../../spec.ts'
import { containsSymbol } from '../../symbolic.ts'
import { type Mistake, scalar } from '../scalar.ts'
import { mapping, pairs, sortedSet } from '../shapes.ts'
import { cut } from '../show.ts'
import { choice, cleanPath, text } from '../texts.ts'
import { integer } from '../numbers.ts'

const PERMISSIONS = /^[rwm]{1,3}$/
const CDI: Mistake = {
  mistake: 'CDI devices are not served',
  remedy: 'write the path of the device on the host, or gpus for graphics processors',
}

/** `SOURCE[:TARGET[:PERMISSIONS]]`; as for the engine's own client, `SOURCE:PERMISSIONS` too. */
const short = scalar<Device>({
  types: ['string'],
  expected: 'a device, as SOURCE[:TARGET[:PERMISSIONS]]',
  example: '/dev/kvm or /dev/sdb:/dev/data:rw',
  json: { type: 'string', pattern: '^[^:]+(:[^:]+){0,2}$' },
  readsSymbols: true,
  read: (value) => {
    const [source = '', second, third, ...more] = String(value).split(':')
    if (more.length > 0) return null
    if (third !== undefined || second === undefined) return device(source, second ?? source, third ?? 'rwm')
    return PERMISSIONS.test(second) ? device(source, source, second) : device(source, second, 'rwm')
  },
})

const long = mapping({
  source: text().meta({ description: 'Device on the host' }),
  target: text().optional().meta({ description: 'Device in the container; the same where it is left out' }),
  permissions: text().optional().meta({ description: 'r, w and m (make); all where it is left out' }),
}).transform((wish, context): Device => {
  const result = device(wish.source, wish.target ?? wish.source, wish.permissions ?? 'rwm')
  if ('value' in result) return result.value
  context.issues.push({ code: 'custom', message: result.mistake, input: wish, params: { remedy: result.remedy } })
  return z.NEVER
})

function device(source: string, target: string, permissions: string): { value: Device } | Mistake {
  for (const path of [source, target]) {
    if (path.startsWith('/') || containsSymbol(path)) continue
    if (path.includes('=')) return CDI
    return {
      mistake: `expected the absolute path of a device, found "${cut(path)}"`,
      remedy: 'write for example /dev/kvm',
    }
  }
  if (containsSymbol(permissions)) return { value: { source, target, permissions } }
  if (!PERMISSIONS.test(permissions)) {
    return {
      mistake: `expected permissions of r, w and m, found "${cut(permissions)}"`,
      remedy: 'write for example rwm',
    }
  }
  const ordered = ['r', 'w', 'm'].filter((one) => permissions.includes(one)).join('')
  return { value: { source: cleanPath(source), target: cleanPath(target), permissions: ordered } }
}

export const devices = z.array(z.union([short, long])).transform((all, context): Device[] => {
  const targets = new Set<string>()
  for (const [index, { target }] of all.entries()) {
    if (targets.has(target)) {
      const message = `${cut(target)} is the target of two devices`
      context.issues.push({
        code: 'custom',
        message,
        input: all,
        path: [index],
        params: { remedy: 'leave one of the two out' },
      })
    }
    targets.add(target)
  }
  return all.sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0))
})

const gpu = mapping({
  driver: text().optional(),
  count: z
    .union([choice(['all']).transform(() => -1), integer({ min: 1 })])
    .optional()
    .meta({ description: 'How many; all where it is left out' }),
  device_ids: z.array(text()).optional().meta({ description: 'Which ones, instead of count' }),
  capabilities: z.array(text()).optional(),
  options: pairs({ bare: '' }).optional(),
}).transform((wish, context): GpuRequest => {
  if (wish.driver === 'cdi') {
    context.issues.push({
      code: 'custom',
      message: 'the driver cdi gives any device that is registered on the host',
      input: wish,
      path: ['driver'],
      params: { remedy: 'leave it out; CDI is not served' },
    })
  }
  if (wish.count !== undefined && wish.device_ids !== undefined) {
    context.issues.push({
      code: 'custom',
      message: 'count and device_ids exclude each other',
      input: wish,
      path: ['count'],
      params: { remedy: 'leave one of the two out', at: 'key' },
    })
  }
  const request: GpuRequest = { capabilities: [sortedSet([...(wish.capabilities ?? []), 'gpu'])] }
  if (wish.driver !== undefined) request.driver = wish.driver
  if (wish.device_ids !== undefined) request.device_ids = sortedSet(wish.device_ids)
  else request.count = wish.count ?? -1
  if (wish.options !== undefined) request.options = wish.options
  return request
})

/** `all`, or a list of requests. */
export const gpus = z.union([
  choice(['all']).transform((): GpuRequest[] => [{ count: -1, capabilities: [['gpu']] }]),
  z.array(gpu),
])
