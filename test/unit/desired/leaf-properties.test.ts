// Reading a leaf is total, and the short and the long form of one wish are the same wish.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDeployment } from '../../../src/desired/schema/deployment.ts'
import { parseLeaf } from '../../../src/desired/schema/leaf.ts'
import { leafKeys } from '../../../src/desired/schema/service-keys.ts'
import { parseSet } from '../../../src/desired/schema/set.ts'
import { symbolFor } from '../../../src/desired/symbolic.ts'

const CONTEXT = { symbolic: false, ingress: true, leafName: 'web' }
const LEAF = { generation: 1, image: 'nginx:1.27' }

/** What a message would say of a value that its reader did not foresee; no text of the file's, which messages quote. */
const NOT_OURS = /undefined|\[object|Invalid input|NaN|Infinity/

/** Texts near what the readers split and match. */
const pieces = fc.constantFrom(
  ':',
  '/',
  '=',
  '-',
  ',',
  '.',
  '[',
  ']',
  '80',
  '8000-8010',
  'a',
  '/x',
  'tcp',
  'ro',
  '1m',
  '::1',
  '"',
  '\\',
  ' ',
)
const likely = fc.array(pieces, { maxLength: 8 }).map((all) => all.join(''))
const words = fc.oneof(
  likely,
  fc.constantFrom(...leafKeys.keys(), 'type', 'source', 'target', 'http', 'test', 'x-a', '__proto__'),
)
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    likely,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.string().filter((text) => !NOT_OURS.test(text)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(words, tie('value'), { maxKeys: 6 }),
  ),
})).value

describe('reading', () => {
  it('never throws, and gives parts exactly where it finds nothing wrong', () => {
    const keys = fc.dictionary(fc.constantFrom(...leafKeys.keys()), json, { maxKeys: 8 })
    fc.assert(
      fc.property(fc.oneof(json, keys), fc.boolean(), (raw, symbolic) => {
        for (const { parts, issues } of [
          parseLeaf(raw, { ...CONTEXT, symbolic }),
          parseSet(raw),
          parseDeployment(raw),
        ]) {
          expect(parts === null).toBe(issues.length > 0)
          for (const { message, remedy } of issues) {
            expect(message).not.toMatch(NOT_OURS)
            expect(remedy).not.toBe('')
          }
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('gives the same parts for the same data', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...leafKeys.keys()), json, { maxKeys: 5 }), (raw) => {
        expect(parseLeaf(structuredClone(raw), CONTEXT)).toEqual(parseLeaf(raw, CONTEXT))
      }),
      { numRuns: 200 },
    )
  })

  it('leaves what it reads as it was', () => {
    const raw = { ...LEAF, ports: ['81:81', '80:80'], devices: ['/dev/b', '/dev/a'], volumes: ['b:/b', 'a:/a'] }
    const before = structuredClone(raw)
    parseLeaf(raw, CONTEXT)
    expect(raw).toEqual(before)
  })
})

function spec(keys: object) {
  const { parts, issues } = parseLeaf({ ...LEAF, ...keys }, CONTEXT)
  expect(issues).toEqual([])
  return parts?.spec
}

const port = fc.integer({ min: 1, max: 65535 })
const address = fc.option(fc.constantFrom('127.0.0.1', '10.1.2.3', '::1', 'fd00::1'), { nil: undefined })
const path = fc
  .array(fc.stringMatching(/^[a-z0-9_-][a-z0-9_.-]{0,7}$/), { minLength: 1, maxLength: 3 })
  .map((parts) => `/m/${parts.join('/')}`)

describe('short and long forms agree', () => {
  it('for ports', () => {
    fc.assert(
      fc.property(
        port,
        fc.option(port, { nil: undefined }),
        address,
        fc.constantFrom('tcp', 'udp', 'sctp'),
        (target, published, host_ip, protocol) => {
          const host = host_ip === undefined ? '' : `${host_ip.includes(':') ? `[${host_ip}]` : host_ip}:`
          const short = `${host}${published ?? ''}${host === '' && published === undefined ? '' : ':'}${target}/${protocol}`
          const long = {
            target,
            protocol,
            ...(published === undefined ? {} : { published }),
            ...(host_ip === undefined ? {} : { host_ip }),
          }
          expect(spec({ ports: [short] })).toEqual(spec({ ports: [long] }))
        },
      ),
    )
  })

  it('for a range of ports and its ports one by one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60000 }),
        fc.integer({ min: 1, max: 60000 }),
        fc.integer({ min: 0, max: 20 }),
        (a, b, more) => {
          const single = Array.from({ length: more + 1 }, (_, step) => `${a + step}:${b + step}`)
          expect(spec({ ports: [`${a}-${a + more}:${b}-${b + more}`] })).toEqual(spec({ ports: single }))
        },
      ),
    )
  })

  it('for volumes', () => {
    const bind = fc.record({ type: fc.constant('bind' as const), source: path, target: path, read_only: fc.boolean() })
    const volume = fc.record({
      type: fc.constant('volume' as const),
      source: fc.stringMatching(/^[a-z][a-z0-9_-]{1,10}$/),
      target: path,
      read_only: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.oneof(bind, volume), (mount) => {
        const short = `${mount.source}:${mount.target}${mount.read_only ? ':ro' : ''}`
        expect(spec({ volumes: [short] })).toEqual(spec({ volumes: [mount] }))
      }),
    )
  })

  it('for environment and labels, whatever their order', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/).filter((one) => one !== '__proto__')
    const value = fc.string().filter((one) => !/[\0\u27e6]/.test(one))
    fc.assert(
      fc.property(fc.dictionary(name, value), (map) => {
        const list = Object.entries(map).map(([key, item]) => `${key}=${item}`)
        for (const key of ['environment', 'labels', 'annotations']) {
          expect(JSON.stringify(spec({ [key]: list.toReversed() }))).toBe(JSON.stringify(spec({ [key]: map })))
        }
      }),
    )
  })

  it('for commands: quoting every word gives the words back', () => {
    const word = fc.string().filter((one) => !/[\0\u27e6]/.test(one))
    fc.assert(
      fc.property(fc.array(word), (command) => {
        const line = command.map((one) => `'${one.replaceAll("'", `'\\''`)}'`).join(' ')
        expect(spec({ command: line })?.command).toEqual(command)
      }),
    )
  })
})

describe('a host’s values', () => {
  it('never meet a reader in the symbolic form', () => {
    const symbol = symbolFor('X', '')
    const keys = [...leafKeys].flatMap(([key, { served }]) => (served && key !== 'generation' ? [key] : []))
    const scalars = keys.filter((key) => {
      const { issues } = parseLeaf({ ...LEAF, [key]: symbol }, { ...CONTEXT, symbolic: true })
      return issues.length === 0
    })
    // Every key whose value can be a single text takes a symbol in its place.
    const notTexts = [
      'annotations',
      'cap_add',
      'cap_drop',
      'depends_on',
      'device_cgroup_rules',
      'devices',
      'dns_opt',
      'environment',
    ]
    const others = [
      'expose',
      'extra_hosts',
      'files',
      'group_add',
      'healthcheck',
      'image_policy',
      'labels',
      'logging',
      'networks',
      'ports',
      'secrets',
      'security_opt',
    ]
    expect(keys.filter((key) => !scalars.includes(key)).sort()).toEqual(
      [...notTexts, ...others, 'sysctls', 'ulimits', 'update', 'volumes'].sort(),
    )
  })
})
