// What holds for every leaf and every policy: the grant that a refusal proposes is enough and not too much, patterns give
// nothing by chance, and no file makes the reader fail.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'

import { covers, seen, UNSEEN } from '../../../src/desired/host-paths.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { NO_POLICY, parsePolicy } from '../../../src/desired/policy.ts'
import type { Grant } from '../../../src/desired/policy.ts'
import { privilegesOf } from '../../../src/desired/privileges.ts'
import { oneLeaf } from './one-leaf.ts'

const ROOT = `networks: {out: {external: true}, lan: {driver: macvlan}}
volumes: {data: {}, nfs: {driver_opts: {type: nfs}}, there: {external: true}, bound: {driver_opts: {o: bind, device: /etc}}}
`
const list = (...values: string[]) => fc.option(fc.subarray(values), { nil: undefined })
const one = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })

const leaves = fc.record(
  {
    privileged: one(true, false),
    pid: one('host'),
    ipc: one('host', 'private'),
    uts: one('host'),
    cgroup: one('host'),
    userns_mode: one('host'),
    cap_add: list('ALL', 'NET_ADMIN', 'CHOWN', 'SYS_PTRACE'),
    cap_drop: list('ALL', 'NET_RAW'),
    devices: list('/dev/kvm', '/dev/../srv/x'),
    device_cgroup_rules: list('c 1:3 mr'),
    gpus: one('all'),
    volumes: list(
      'data:/a',
      'nfs:/b',
      'there:/c',
      'bound:/d',
      '/srv/x:/e',
      '/run:/f:shared',
      '/:/g',
      '/var/run/docker.sock:/h',
      '/etc/../usr:/i:ro,Z',
    ),
    networks: list('out', 'lan'),
    security_opt: list('apparmor=unconfined', 'no-new-privileges', 'seccomp={"defaultAction":"x"}', 'label:disable'),
    sysctls: fc.option(
      fc.constantFrom({ 'net.core.somaxconn': '1' }, { 'net/ipv4/tcp_syncookies': '1' }, { 'kernel.msgmax': '9' }),
      { nil: undefined },
    ),
    annotations: fc.option(fc.constantFrom({ 'run.oci.x': 'y' }, {}), { nil: undefined }),
    runtime: one('kata'),
    cgroup_parent: one('x.slice'),
    oom_score_adj: one(-5, 5),
    user: one('0', '1000', 'www'),
  },
  { requiredKeys: [] },
)

const yamlOf = (keys: object) => stringify(JSON.parse(JSON.stringify(keys)))

describe('for any leaf', () => {
  it('the grant that is proposed is enough, and less is not', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(leaves, (keys) => {
        const text = yamlOf(keys)
        const { leaf, tree } = oneLeaf(text === '{}\n' ? '' : text, ROOT)
        const problem = judgePolicy(leaf, tree, NO_POLICY, false)
        expect(problem === null).toBe(privilegesOf(leaf, tree).length === 0)
        if (problem === null) return
        const proposed = /policy file \(.*?\): - (\{.*\})$/.exec(problem.remedy)?.[1]
        const { policy, problems } = parsePolicy(`format: 1\ngrants: [${proposed}]\n`, 'p')
        expect(problems).toEqual([])
        if (policy === null) return
        expect(judgePolicy(leaf, tree, policy, false)).toBeNull()
        for (const less of lesser(policy.grants?.[0] ?? { paths: [] })) {
          expect(judgePolicy(leaf, tree, { ...policy, grants: [less] }, false), JSON.stringify(less)).not.toBeNull()
        }
      }),
      { numRuns: 100 },
    )
  })

  it('restricted is never kinder than baseline, and a rule never allows more', { timeout: 60_000 }, () => {
    const rule = (preset: 'baseline' | 'restricted') => ({ paths: ['**'], preset })
    fc.assert(
      fc.property(leaves, (keys) => {
        const text = yamlOf(keys)
        const { leaf, tree } = oneLeaf(text === '{}\n' ? '' : text, ROOT)
        const by = (...presets: ('baseline' | 'restricted')[]) =>
          judgePolicy(leaf, tree, { format: 1, rules: presets.map(rule) }, true)
        if (by('baseline') !== null) expect(by('restricted')).not.toBeNull()
        if (by('restricted') === null) expect(by('baseline', 'restricted')).toBeNull()
        if (judgePolicy(leaf, tree, NO_POLICY, false) !== null)
          expect(judgePolicy(leaf, tree, { format: 1, rules: [rule('baseline')] }, false)).not.toBeNull()
      }),
      { numRuns: 100 },
    )
  })
})

/** Each part of the grant taken away in turn. */
function lesser(grant: Grant): Grant[] {
  return Object.entries(grant).flatMap(([key, value]): Grant[] => {
    if (key === 'paths') return [{ ...grant, paths: ['other'] }]
    if (!Array.isArray(value)) return [{ ...grant, [key]: false }]
    return value.map((_, index) => ({ ...grant, [key]: value.toSpliced(index, 1) }))
  })
}

describe('for any pattern with a wildcard', () => {
  const part = fc.constantFrom(
    '*',
    '**',
    '?',
    'run',
    'etc',
    'var',
    'lib',
    'docker',
    'docker.sock',
    'srv',
    '..',
    '.',
    '',
  )
  const path = fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`)
  it('neither the root, a socket nor a folder that is the host is covered', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(path, path, (pattern, asked) => {
        const wanted = seen(asked, UNSEEN)
        if (wanted.kind !== 'path') expect(covers(pattern, wanted, UNSEEN)).toBe(false)
        if (wanted.danger === null || !covers(pattern, wanted, UNSEEN)) return
        expect(seen(pattern, UNSEEN).path).toBe(wanted.path)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('any file', () => {
  it('is a policy, or has a problem with words', { timeout: 60_000 }, () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const file = fc.oneof(
      fc.string(),
      value.map((any) => stringify(any)),
      fc
        .record(
          { format: fc.constant(1), grants: value, rules: value, removal_limit: value },
          { requiredKeys: ['format'] },
        )
        .map((any) => stringify(any)),
      fc
        .dictionary(
          fc.constantFrom('paths', 'binds', 'ports', 'mem_limit', 'preset', 'host_root', '__proto__', 'images'),
          value,
        )
        .map((entry) => stringify({ format: 1, rules: [entry], grants: [entry] })),
    )
    fc.assert(
      fc.property(file, (text) => {
        const { policy, problems } = parsePolicy(text, 'policy.yaml')
        expect(policy === null).toBe(problems.length > 0)
        for (const { message, remedy } of problems) {
          expect(message).toMatch(/\w{3}/)
          expect(remedy).toMatch(/\w{3}/)
          expect(`${message}${remedy}`).not.toContain('undefined')
        }
      }),
      { numRuns: 300 },
    )
  })
})
