// Hostile data is refused quickly and pollutes nothing; symbols pass every reader.

import { describe, expect, it } from 'vitest'
import { parseLeaf } from '../../../src/desired/schema/leaf.ts'
import { symbolFor } from '../../../src/desired/symbolic.ts'

const LEAF = { generation: 1, image: 'nginx:1.27' }

describe('hostile data', () => {
  const context = { symbolic: false, ingress: false, leafName: 'web' }

  it('with __proto__ is refused and pollutes nothing', () => {
    const raw: unknown = JSON.parse('{"generation":1,"image":"a","__proto__":{"x":1},"labels":{"__proto__":"y"}}')
    const { parts, issues } = parseLeaf(raw, context)
    expect(parts).toBeNull()
    expect(issues.map(({ path }) => path)).toEqual([['__proto__'], ['labels', '__proto__']])
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it('with names of methods is like any other', () => {
    const { parts } = parseLeaf({ ...LEAF, labels: { constructor: 'a', toString: 'b' } }, context)
    expect(parts?.spec.labels).toEqual({ constructor: 'a', toString: 'b' })
    expect(parseLeaf({ ...LEAF, constructor: 1 }, context).issues[0]?.message).toBe('unknown key constructor')
  })

  it('that nests or grows without end is refused quickly', () => {
    let deep: unknown = 1
    for (let level = 0; level < 5000; level++) deep = [deep]
    expect(parseLeaf({ ...LEAF, command: deep }, context).issues[0]?.message).toContain('nested more than')
    const wide = Array.from({ length: 1_000_000 }, () => '80')
    expect(parseLeaf({ ...LEAF, ports: wide }, context).issues[0]?.message).toContain('more than 50000 values')
    const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`imag${index}`, 1]))
    const { issues } = parseLeaf({ ...LEAF, ...keys }, context)
    expect(issues).toHaveLength(101)
    expect(issues.at(-1)?.message).toBe('19900 more mistakes in this file')
    const ranges = Array.from({ length: 200 }, (_, index) => `${index * 256 + 1}-${index * 256 + 256}`)
    expect(parseLeaf({ ...LEAF, ports: ranges }, context).issues[0]?.message).toContain('more than 1024 ports')
  })
})

describe('symbols', () => {
  const X = symbolFor('X', ':-80')
  it('pass every reader, whole or as a part of a short form', () => {
    const { parts, issues } = parseLeaf(
      {
        ...LEAF,
        ports: [`${X}:8080:80`, `${X}:81`, { target: X, host_ip: X }],
        volumes: [`/srv/${X}:/x`, `${X}:/y`],
        environment: [`A=${X}`],
        mem_limit: X,
        stop_grace_period: X,
        privileged: X,
        extra_hosts: [`a:${X}`],
        devices: [`${X}:/dev/x`],
        tmpfs: [`/t:size=${X}`],
        networks: { default: { ipv4_address: X } },
        healthcheck: { interval: X, test: `check ${X}` },
        ulimits: { nofile: { soft: X, hard: X } },
        pull_policy: X,
      },
      { symbolic: true, ingress: false, leafName: 'web' },
    )
    expect(issues).toEqual([])
    expect(parts?.spec).toMatchObject({
      environment: { A: X },
      mem_limit: X,
      privileged: X,
      extra_hosts: [`a:${X}`],
      networks: { default: { ipv4_address: X } },
    })
    expect(parts?.spec.ports.map(({ published, target, host_ip }) => [host_ip, published, target])).toEqual([
      [X, 8080, 80],
      [undefined, X, 81],
      [X, 0, X],
    ])
  })

  it('never stand for a generation', () => {
    const { issues } = parseLeaf({ ...LEAF, generation: X }, { symbolic: true, ingress: false, leafName: 'web' })
    expect(issues).toHaveLength(1)
  })
})
