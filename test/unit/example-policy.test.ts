// The policy in docs/ grants example-repo what it asks for, and nothing that it does not ask for.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { judgePolicy } from '../../src/desired/policy-judge.ts'
import { NO_POLICY, parsePolicy } from '../../src/desired/policy.ts'
import type { Grant, Policy, Rule } from '../../src/desired/policy.ts'
import type { Tree } from '../../src/desired/tree.ts'
import { readExampleRepo } from './example-repo.ts'

const file = resolve(import.meta.dirname, '../../docs/example-policy.yaml')
const { policy, problems } = parsePolicy(readFileSync(file, 'utf8'), file)

describe('docs/example-policy.yaml', () => {
  test('reads without a problem', () => {
    expect(problems).toEqual([])
  })

  test('without it, exactly the leaves with privileges are held', () => {
    // All that are on a network of this deployment use the subnet that it chose.
    const subnet: Policy = { ...NO_POLICY, grants: [{ paths: ['**'], subnets: ['172.29.236.0/24'] }] }
    expect(held(subnet)).toHaveLength(16)
    expect(held(subnet)).toEqual(expect.arrayContaining(['nova-libvirt', 'haproxy', 'openvswitch-db-server']))
    const tree = readExampleRepo()
    const networked = [...tree.leaves.values()].filter(({ spec }) => Object.keys(spec.networks).length > 0)
    expect(new Set(held(NO_POLICY))).toEqual(new Set([...held(subnet), ...networked.map(({ name }) => name)]))
  })

  test('with it, nothing is held', () => {
    expect(held(given())).toEqual([])
  })

  test('every part of every grant is needed', () => {
    const grants = given().grants ?? []
    expect(grants.length).toBeGreaterThan(0)
    for (const [index, grant] of grants.entries()) {
      for (const lesser of withoutOnePart(grant)) {
        const policyWithout = { ...given(), grants: grants.with(index, lesser) }
        expect(held(policyWithout), JSON.stringify([grant, lesser])).not.toEqual([])
      }
    }
  })

  test('no pattern of a rule is idle', () => {
    const rules = given().rules ?? []
    expect(rules.length).toBeGreaterThan(0)
    for (const [index, rule] of rules.entries()) {
      for (const narrower of withoutOnePattern(rule)) {
        expect(held({ ...given(), rules: rules.with(index, narrower) }), JSON.stringify(narrower)).not.toEqual([])
      }
    }
  })

  test('its rules hold what is granted by mistake', () => {
    const generous: Policy = { ...given(), grants: [{ paths: ['**'], privileged: true, host_namespaces: ['pid'] }] }
    const tree = readExampleRepo()
    const plain = tree.leaves.get('mariadb')
    if (plain === undefined) throw new Error('no mariadb')
    const changed = { ...plain, spec: { ...plain.spec, privileged: true, image: 'docker.io/else/mariadb:1' } }
    const message = judgePolicy(changed, tree, generous, false)?.message
    expect(message).toContain('privileged (baseline, Privileged Containers)')
    expect(message).toContain('(nothing else is mirrored): image: docker.io/else/mariadb:1')
  })
})

function given(): Policy {
  if (policy === null) throw new Error(problems.map((problem) => problem.message).join('\n'))
  return policy
}

function held(by: Policy): string[] {
  const tree: Tree = readExampleRepo()
  return [...tree.leaves.values()]
    .filter((leaf) => judgePolicy(leaf, tree, by, false) !== null)
    .map((leaf) => leaf.name)
    .toSorted()
}

/** The rule with one element fewer in `images` or `except`. */
function withoutOnePattern(rule: Rule): Rule[] {
  const { images, except } = rule
  return [
    ...(images ?? []).map((_, index) => ({ ...rule, images: (images ?? []).toSpliced(index, 1) })),
    ...(except ?? []).map((_, index) => ({ ...rule, except: (except ?? []).toSpliced(index, 1) })),
  ]
}

/** The grant with one element fewer in one of its lists, or without its `privileged`. */
function withoutOnePart(grant: Grant): Grant[] {
  const { paths, privileged, host_namespaces, cap_add, binds } = grant
  const lesser = <T>(list: readonly T[] | undefined, put: (rest: T[]) => Grant): Grant[] =>
    (list ?? []).map((_, index) => put((list ?? []).toSpliced(index, 1)))
  return [
    ...(privileged === true ? [{ ...grant, privileged: false }] : []),
    ...lesser(paths, (rest) => ({ ...grant, paths: rest })),
    ...lesser(host_namespaces, (rest) => ({ ...grant, host_namespaces: rest })),
    ...lesser(cap_add, (rest) => ({ ...grant, cap_add: rest })),
    ...lesser(binds, (rest) => ({ ...grant, binds: rest })),
  ]
}
