// Which patterns cover which paths of the host, and what is never covered by chance.

import { describe, expect, it } from 'vitest'

import { covers, literalStart, seen, UNSEEN } from '../../../src/desired/host-paths.ts'
import type { HostPlaces } from '../../../src/desired/host-paths.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { oneLeaf, policyFile } from './one-leaf.ts'

const places = (more: Partial<HostPlaces>): HostPlaces => ({ ...UNSEEN, ...more })

describe('covers', () => {
  it.each([
    ['/srv/x', '/srv/x', true],
    ['/srv/*', '/srv/x', true],
    ['/srv/**', '/srv/x/y', true],
    ['/**', '/srv/x', true],
    ['/srv', '/srv/x', false],
    // Guarded folders by their own name only.
    ['/etc', '/etc', true],
    ['/*', '/etc', false],
    ['/**', '/etc', false],
    ['/e*', '/etc', false],
    ['/var/*', '/var/lib', false],
    ['/var/lib', '/var/lib', true],
    ['/run/*', '/run/docker', false],
    ['/run/*', '/run/containerd', false],
    ['/run/user/*', '/run/user/1000', false],
    ['/run/user/1000', '/run/user/1000', true],
    // What lies in them by patterns that begin there.
    ['/**', '/etc/shadow', false],
    ['/etc/**', '/etc/nova/x', true],
    ['/etc/nova/*', '/etc/nova/x', true],
    ['/var/**', '/var/lib/docker/volumes', false],
    ['/var/lib/docker/**', '/var/lib/docker/volumes', true],
    ['/run/**', '/run/netns', true],
    ['/run/**', '/run/docker/netns', false],
    ['/lib/*', '/lib/modules', true],
    ['/var/**', '/var/cache/x', true],
    // Dots and slashes are taken away before.
    ['/srv/**', '/srv/../etc/shadow', false],
    ['/srv/**', '/srv/a/../../etc', false],
    ['/srv/../etc/*', '/etc/x', true],
    ['/srv//x/', '/srv/x', true],
    // Never.
    ['/**', '/', false],
    ['/', '/', false],
    ['/**', '/srv/../', false],
    ['/run/**', '/run/docker.sock', false],
    ['/run/docker.sock', '/run/docker.sock', false],
    ['/run/**', '/var/run/docker.sock', false],
    ['/srv/**', '/srv/docker.sock', false],
    ['/run/containerd/*', '/run/containerd/containerd.sock', false],
    ['/run/podman/*', '/run/podman/podman.sock', false],
    ['/run/user/**', '/run/user/1000/podman/podman.sock', false],
    ['/run/user/**', '/run/user/1000/docker.sock', false],
    ['/home/**', '/home/me/.docker/run/docker.sock', false],
    ['/var/run/netns', '/run/netns', true],
  ])('%s %s: %s', (pattern, path, expected) => {
    expect(covers(pattern, seen(path, UNSEEN), UNSEEN)).toBe(expected)
  })

  it('takes a path for what its links lead to', () => {
    const linked = places({ resolved: new Map([['/srv/app/x', '/etc/shadow']]) })
    expect(covers('/srv/**', seen('/srv/app/x', linked), linked)).toBe(false)
    expect(covers('/srv/app/x', seen('/srv/app/x', linked), linked)).toBe(false)
    expect(covers('/etc/shadow', seen('/srv/app/x', linked), linked)).toBe(true)
    expect(seen('/srv/app/x', linked)).toMatchObject({ path: '/etc/shadow', moved: true })
    const socket = places({ resolved: new Map([['/srv/s', '/run/docker.sock']]) })
    expect(seen('/srv/s', socket).kind).toBe('socket')
    const root = places({ resolved: new Map([['/srv/r', '/']]) })
    expect(seen('/srv/r', root).kind).toBe('root')
  })

  it('follows links that only root can make in patterns too', () => {
    const merged = places({
      links: new Map([['/lib', '/usr/lib']]),
      resolved: new Map([['/lib/modules', '/usr/lib/modules']]),
    })
    expect(covers('/lib/modules', seen('/lib/modules', merged), merged)).toBe(true)
    expect(covers('/lib/*', seen('/lib/modules', merged), merged)).toBe(true)
    expect(seen('/lib/modules', merged).moved).toBe(false)
  })

  it('takes nothing but the name for what it may not look at', () => {
    const hidden = places({ resolved: new Map([['/srv/private/x', null]]) })
    expect(covers('/srv/**', seen('/srv/private/x', hidden), hidden)).toBe(false)
    expect(covers('/srv/private/x', seen('/srv/private/x', hidden), hidden)).toBe(true)
  })

  it("knows the engine's socket by any name, and graft's own files", () => {
    const known = places({ sockets: new Set(['/srv/engine/api']), own: ['/data/graft'] })
    expect(covers('/srv/**', seen('/srv/engine/api', known), known)).toBe(false)
    expect(covers('/srv/**', seen('/srv/engine', known), known)).toBe(false)
    expect(covers('/srv/engine', seen('/srv/engine', known), known)).toBe(true)
    for (const path of ['/data', '/data/graft', '/data/graft/policy.yaml']) {
      expect(covers('/**', seen(path, known), known)).toBe(false)
      expect(covers('/data/**', seen(path, known), known)).toBe(false)
      expect(covers(path, seen(path, known), known)).toBe(true)
    }
    expect(covers('/data/**', seen('/data/other', known), known)).toBe(true)
  })
})

describe('the danger is said in words', () => {
  it.each([
    ['/', 'the whole host'],
    ['/var/run/docker.sock', "it is the engine's socket"],
    ['/run', "it holds the engine's socket"],
    ['/var/run', "it holds the engine's socket"],
    ['/run/user/1000', "it holds the engine's socket"],
    ['/var', 'every container on the engine'],
    ['/var/lib', 'every container on the engine'],
    ['/var/lib/docker', 'every container on the engine'],
    ['/var/lib/graft', "graft's own files"],
    ['/var/spool', 'the host runs as root'],
    ['/tmp', 'sockets of programs'],
    ['/tmp/graft-0', "graft's own files"],
    ['/run/user/7/graft-7/a.sock', "graft's own files"],
    ['/etc', 'who may log in'],
    ['/proc', "the kernel's settings"],
    ['/sys', "the kernel's settings"],
    ['/dev', "the host's disks"],
    ['/boot', 'starts next'],
    ['/root', 'keys'],
    ['/home', 'keys'],
    ['/usr', 'runs as root'],
  ])('%s', (path, words) => {
    expect(seen(path, UNSEEN).danger).toContain(words)
    const { leaf, tree } = oneLeaf(`volumes: ["${path}:/x"]`)
    const message = judgePolicy(leaf, tree, policyFile(''), false)?.message
    expect(message).toContain('careful with ')
    expect(message).toContain(words)
  })

  it.each(['/srv', '/srv/data', '/mnt/x', '/etc/nova', '/var/lib/mysql', '/lib/modules', '/run/netns'])(
    '%s has none',
    (path) => {
      expect(seen(path, UNSEEN).danger).toBeNull()
    },
  )

  it('with where a link leads', () => {
    const { leaf, tree } = oneLeaf('volumes: ["/srv/x:/x"]')
    const linked = places({ resolved: new Map([['/srv/x', '/etc']]) })
    const problem = judgePolicy(
      leaf,
      tree,
      policyFile('grants: [{paths: ["**"], binds: [{source: /srv/*}]}]'),
      false,
      linked,
    )
    expect(problem?.message).toContain('/srv/x leads to /etc on this host; careful with /etc: ')
    expect(problem?.remedy).toContain('binds: [{source: /etc}]')
  })

  it('of what would be a pattern in a grant', () => {
    const { leaf, tree } = oneLeaf("volumes: ['/srv/*:/x']")
    expect(judgePolicy(leaf, tree, policyFile(''), false)?.message).toContain(
      'careful: bind: /srv/* holds a wildcard, and a grant of it would give more',
    )
  })

  it('of devices too', () => {
    const { leaf, tree } = oneLeaf('devices: [/srv/disk]')
    const linked = places({ resolved: new Map([['/srv/disk', '/dev/sda']]) })
    const by = (pattern: string) =>
      judgePolicy(leaf, tree, policyFile(`grants: [{paths: ["**"], devices: [${pattern}]}]`), false, linked)
    expect(by('/srv/*')?.remedy).toContain('devices: [/dev/sda]')
    expect(by('/dev/sd?')).toBeNull()
  })
})

describe('literalStart', () => {
  it.each([
    ['/**', '/'],
    ['/a/*', '/a'],
    ['/a/b*/c', '/a'],
    ['/a/b', '/a/b'],
  ])('%s: %s', (pattern, start) => {
    expect(literalStart(pattern)).toBe(start)
  })
})
