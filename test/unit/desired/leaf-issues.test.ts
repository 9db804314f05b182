// What a leaf may not say, each with its place, a plain sentence and what would be right.

import { describe, expect, it } from 'vitest'
import type { Issue } from '../../../src/desired/schema/issue.ts'
import { parseLeaf } from '../../../src/desired/schema/leaf.ts'

const LEAF = { generation: 1, image: 'nginx:1.27' }

function issuesOf(keys: object, ingress = false): Issue[] {
  const { parts, issues } = parseLeaf({ ...LEAF, ...keys }, { symbolic: false, ingress, leafName: 'web' })
  expect(parts === null).toBe(issues.length > 0)
  return issues
}

/** [what is written, path, part of the message, part of the remedy] */
const MISTAKES: readonly (readonly [object, (string | number)[], string, string])[] = [
  [{ imag: 'x' }, ['imag'], 'unknown key imag', 'write image'],
  [{ zzzzzz: 1 }, ['zzzzzz'], 'unknown key zzzzzz', 'known keys are'],
  [
    { healthcheck: { intervall: '5s' } },
    ['healthcheck', 'intervall'],
    'healthcheck: unknown key intervall',
    'write interval',
  ],
  [{ generation: '3' }, ['generation'], 'expected a whole number from 1, found text "3"', 'generation: 1'],
  [{ generation: 0 }, ['generation'], 'found the number 0', 'generation: 1'],
  [{ image: 'Nginx' }, ['image'], 'upper-case', 'write nginx'],
  [{ image: 'a b' }, ['image'], 'expected an image', 'nginx'],
  [{ command: ['sleep', 10] }, ['command', 1], 'found the number 10', 'write it in quotes: "10"'],
  [{ command: 'a "b' }, ['command'], 'is not closed', 'close it'],
  [{ command: 'a | b' }, ['command'], 'means nothing without a shell', '["sh", "-c"'],
  [{ environment: ['HOME'] }, ['environment', 0], 'HOME has no value', 'write HOME: ${HOME}'],
  [{ environment: { HOME: null } }, ['environment', 'HOME'], 'HOME has no value', 'host_variables'],
  [{ environment: { 'A B': 1 } }, ['environment', 'A B'], 'no name of a variable', 'NAME: value'],
  [{ environment: { A: 2 ** 60 } }, ['environment', 'A'], 'too large', 'in quotes'],
  [
    { environment: 'A=1' },
    ['environment'],
    'expected a mapping or a list, found text "A=1"',
    'environment: {DEBUG: "false"}',
  ],
  [{ labels: { 'dev.graft.leaf': 'x' } }, ['labels', 'dev.graft.leaf'], "graft's own", 'your own'],
  [{ labels: ['a=1', 'dev.graft.x=1'] }, ['labels', 1], "graft's own", 'your own'],
  [{ user: 1.5 }, ['user'], 'expected a user', '1000:1000'],
  [{ working_dir: 'srv' }, ['working_dir'], 'expected an absolute path', '/srv'],
  [{ ports: ['80:x'] }, ['ports', 0], 'found "x"', '8080'],
  [{ ports: [{ target: 80, publishd: 1 }] }, ['ports', 0, 'publishd'], 'unknown key publishd', 'write published'],
  [
    { ports: [{ published: 1 }] },
    ['ports', 0],
    'ports[0].target: expected a port or a range of ports, and it is missing',
    '8080',
  ],
  [{ ports: ['80/tpc'] }, ['ports', 0], 'tcp, udp or sctp', '80/tcp'],
  [{ ports: ['x:80:80'] }, ['ports', 0], 'IP address', '127.0.0.1'],
  [{ ports: ['8000-8002:80-81'] }, ['ports', 0], 'differ in number', 'equal length'],
  [{ ports: ['1000-1300'] }, ['ports', 0], 'more than 256', 'fewer'],
  [{ ports: ['90-80'] }, ['ports', 0], 'ends before it starts', '80-90'],
  [{ ports: ['80:80', '80:81'] }, ['ports', 1], "the host's port 80/tcp is published twice", 'leave one'],
  [{ ports: [{ target: 80, published: 80, mode: 'ingress' }] }, ['ports', 0], 'no ingress', 'mode: host'],
  [{ ports: '80:80' }, ['ports'], 'expected a list, found text "80:80"', 'ports: ["8080:80"'],
  [
    { ports: ['80:80'], network_mode: 'host' },
    ['ports'],
    'a host-network container publishes nothing',
    'leave ports out',
  ],
  [{ ports: ['80:80'], network_mode: 'service:db' }, ['ports'], 'the network is that of db', 'in the leaf db'],
  [{ networks: ['a'], network_mode: 'none' }, ['networks'], 'networks beside network_mode: none', 'leave one'],
  [{ network_mode: 'bridge' }, ['network_mode'], '"bridge" is not served', 'networks'],
  [{ network_mode: 'container:x' }, ['network_mode'], 'not served', 'service:LEAF'],
  [{ network_mode: 'service:web' }, ['network_mode'], 'cannot join itself', 'another leaf'],
  [
    { network_mode: 'host', sysctls: { 'net.ipv4.ip_forward': 1 } },
    ['sysctls', 'net.ipv4.ip_forward'],
    'not the container',
    'on the host',
  ],
  [{ network_mode: 'service:db', dns: '10.0.0.1' }, ['dns'], 'dns beside network_mode', 'in the leaf db'],
  [{ hostname: 'x', uts: 'host' }, ['hostname'], 'UTS', 'leave'],
  [
    { networks: { a: { priority: 1 } } },
    ['networks', 'a', 'priority'],
    'the key priority is not served',
    'order of their names',
  ],
  [{ networks: { a: { ipv4_address: '10.0.0' } } }, ['networks', 'a', 'ipv4_address'], 'an IPv4 address', '172.20'],
  [{ volumes: ['/data'] }, ['volumes', 0], 'without a name', 'name it'],
  [{ volumes: ['./x:/y'] }, ['volumes', 0], 'never mounted', 'use files'],
  [{ volumes: ['a:b'] }, ['volumes', 0], 'absolute path in the container', 'a:/b'],
  [{ volumes: ['a:/b:rx'] }, ['volumes', 0], 'unknown mount option "rx"', 'ro'],
  [{ volumes: ['a:/b', 'c:/b/'] }, ['volumes', 1], '/b is the target of two mounts', 'leave one'],
  [{ volumes: ['a:/b'], tmpfs: ['/b'] }, ['tmpfs', 0], '/b is the target of two mounts', 'leave one'],
  [{ volumes: [{ type: 'volume', target: '/b' }] }, ['volumes', 0], 'without a name', 'name it'],
  [
    { volumes: [{ type: 'image', source: 'a', target: '/b' }] },
    ['volumes', 0, 'type'],
    'image is not served',
    'volume',
  ],
  [
    { volumes: [{ type: 'bind', source: './a', target: '/b' }] },
    ['volumes', 0, 'source'],
    'not an absolute path',
    'files',
  ],
  [
    { volumes: [{ type: 'bind', source: '/a', target: '/b:Z' }] },
    ['volumes', 0, 'target'],
    '/b:Z has a colon in it',
    'use another one',
  ],
  [
    { volumes: [{ type: 'bind', source: '/a', target: '/b', volume: {} }] },
    ['volumes', 0, 'volume'],
    'volume options on a mount of type bind',
    'under bind',
  ],
  [
    { volumes: [{ type: 'tmpfs', target: '/b', tmpfs: { mode: 1777 } }] },
    ['volumes', 0, 'tmpfs', 'mode'],
    'octal',
    '"1777"',
  ],
  [
    { volumes: [{ type: 'tmpfs', target: '/b', tmpfs: { mode: 288 } }] },
    ['volumes', 0, 'tmpfs', 'mode'],
    'octal',
    '"0440"',
  ],
  [{ tmpfs: '/x:size=much' }, ['tmpfs'], 'size cannot be "much"', 'size=64m'],
  [{ files: { 'etc/x': './x' } }, ['files', 'etc/x'], 'absolute path of a file', '/etc/nova'],
  [{ files: { '/etc/x': '/x' } }, ['files', '/etc/x'], 'on the host', './nova.conf'],
  [{ files: { '/etc/x': './x', '/etc//x': './y' } }, ['files', '/etc/x'], 'written twice', 'leave one'],
  [{ files: { '/etc/x': { source: './x', mode: 440 } } }, ['files', '/etc/x', 'mode'], 'octal', '"0440"'],
  [{ files: { '/etc/x': { source: './x', mode: '4755' } } }, ['files', '/etc/x', 'mode'], 'as its owner', '"0755"'],
  [{ healthcheck: { interval: 5 } }, ['healthcheck', 'interval'], 'has no unit', '5s'],
  [{ healthcheck: { interval: '10us' } }, ['healthcheck', 'interval'], 'too short', '1ms'],
  [{ healthcheck: { interval: '5 s' } }, ['healthcheck', 'interval'], 'expected a duration', '30s'],
  [{ healthcheck: { test: ['true'] } }, ['healthcheck', 'test'], 'starts with CMD', '[CMD'],
  [{ healthcheck: { test: 'x', http: { port: 1 } } }, ['healthcheck', 'http'], 'exclude each other', 'keep one'],
  [{ healthcheck: { http: {} } }, ['healthcheck', 'http'], 'healthcheck.http.port: expected a whole number', '8080'],
  [
    { healthcheck: { tcp: { port: 1 }, start_interval: '1s' } },
    ['healthcheck', 'start_interval'],
    'no effect',
    'leave it out',
  ],
  [
    { healthcheck: { http: { port: 1, status: '399-200' } } },
    ['healthcheck', 'http', 'status'],
    'ends before',
    '200-399',
  ],
  [{ restart: false }, ['restart'], 'found false', '"no"'],
  [{ restart: 'alway' }, ['restart'], 'expected no, always', 'always'],
  [{ kind: 'job', restart: 'always' }, ['restart'], 'a job runs once', 'leave restart out'],
  [{ kind: 'jop' }, ['kind'], 'expected container or job', 'write job'],
  [{ init: 'yes' }, ['init'], 'expected true or false', 'true'],
  [{ stop_signal: 'nine!' }, ['stop_signal'], 'expected a signal', 'SIGTERM'],
  [{ security_opt: ['seccomp:./p.json'] }, ['security_opt', 0], 'is a file', 'JSON'],
  [{ devices: ['vendor.com/gpu=0'] }, ['devices', 0], 'CDI', 'gpus'],
  [{ devices: ['/dev/a:/dev/b:rx'] }, ['devices', 0], 'r, w and m', 'rwm'],
  [{ devices: ['/dev/a', '/dev/b:/dev/a'] }, ['devices', 1], 'target of two devices', 'leave one'],
  [{ gpus: [{ driver: 'cdi', device_ids: ['vendor.com/class=any'] }] }, ['gpus', 0, 'driver'], 'cdi', 'leave it out'],
  [{ gpus: [{ count: 1, device_ids: ['0'] }] }, ['gpus', 0, 'count'], 'exclude each other', 'leave one'],
  [{ ulimits: { nofiles: 1 } }, ['ulimits', 'nofiles'], 'unknown limit nofiles', 'write nofile'],
  [{ ulimits: { nofile: { soft: 2, hard: 1 } } }, ['ulimits', 'nofile'], 'above the hard limit', 'soft: 1'],
  [{ mem_limit: '5x' }, ['mem_limit'], 'expected a size in bytes, found text "5x"', '64m'],
  [{ mem_limit: '1m' }, ['mem_limit'], 'less than the engine takes', 'at least 6m'],
  [{ mem_limit: '1g', memswap_limit: '512m' }, ['memswap_limit'], 'below mem_limit', 'at least'],
  [{ memswap_limit: '512m' }, ['memswap_limit'], 'needs mem_limit', 'mem_limit'],
  [{ mem_limit: '1g', mem_reservation: '2g' }, ['mem_reservation'], 'above mem_limit', 'at most'],
  [{ cpus: 'half' }, ['cpus'], 'expected a number', '1.5'],
  [{ oom_score_adj: 1001 }, ['oom_score_adj'], 'from -1000 to 1000', '-500'],
  [{ extra_hosts: ['a:b'] }, ['extra_hosts', 0], 'IP address or host-gateway', 'api:10.0.0.1'],
  [{ extra_hosts: { 'a\nb': '10.0.0.1' } }, ['extra_hosts', 'a\nb'], 'expected NAME:ADDRESS', 'api:10.0.0.1'],
  [{ dns_search: ['a\nnameserver x'] }, ['dns_search', 0], 'expected one word', 'example.org'],
  [{ extra_hosts: { a: 'b' } }, ['extra_hosts', 'a'], 'IP address or host-gateway', 'api:10.0.0.1'],
  [{ depends_on: ['web'] }, ['depends_on'], 'cannot depend on itself', 'leave web out'],
  [{ depends_on: ['a_b'] }, ['depends_on', 0], 'expected a name', 'mariadb'],
  [
    { depends_on: { db: { condition: 'service_healty' } } },
    ['depends_on', 'db', 'condition'],
    'found text "service_healty"',
    'write service_healthy',
  ],
  [{ depends_on: { db: {} } }, ['depends_on', 'db'], 'condition: expected', 'service_started'],
  [
    { depends_on: { db: { condition: 'service_started', required: false } } },
    ['depends_on', 'db', 'required'],
    'may be missing',
    'leave',
  ],
  [{ pull_policy: 'daily' }, ['pull_policy'], 'daily is not served', 'raise the generation'],
  [{ renamed_from: 'web' }, ['renamed_from'], 'the name that the leaf has', 'former'],
  [{ update: 5 }, ['update'], 'expected a mapping, found the number 5', 'update: {order: start-first'],
  [{ update: { order: 'stop-frist' } }, ['update', 'order'], 'found text "stop-frist"', 'write stop-first'],
  [{ services: {} }, ['services'], 'the key services does not belong here', 'NAME.yaml'],
  [{ tty: null }, ['tty'], 'expected true or false, found nothing', 'true'],
  [{ labels: { a: '\u27e6X\u27e7' } }, ['labels', 'a'], 'is reserved', 'another way'],
]

describe('a mistake in a leaf', () => {
  it.each(
    MISTAKES.map(([keys, path, message, remedy]) => ({ keys, path, message, remedy, name: JSON.stringify(keys) })),
  )('$name', ({ keys, path, message, remedy }) => {
    const issues = issuesOf(keys)
    expect(issues).toHaveLength(1)
    expect(issues[0]?.path).toEqual(path)
    expect(issues[0]?.message).toContain(message)
    expect(issues[0]?.remedy).toContain(remedy)
  })

  it('is told together with all others', () => {
    const paths = issuesOf({
      generation: 'x',
      prots: [],
      ports: ['80:x', 'y', '81:81'],
      volumes: ['/x', { type: 'bin', target: 'x', more: 1 }],
      environment: { A: null, B: [], 'C D': 1 },
      healthcheck: { http: { prot: 1 }, interval: 'x' },
    }).map(({ path }) => path.join('.'))
    expect(paths.sort()).toEqual(
      [
        'generation',
        'prots',
        'ports.0',
        'ports.1',
        'volumes.0',
        'volumes.1.type',
        'volumes.1.target',
        'volumes.1.more',
        'environment.B',
        'environment.C D',
        'healthcheck.http',
        'healthcheck.http.prot',
        'healthcheck.interval',
      ].sort(),
    )
  })

  it('is also that a required key is missing, or the file', () => {
    const context = { symbolic: false, ingress: false, leafName: 'web' }
    expect(parseLeaf({}, context).issues.map(({ message }) => message)).toEqual([
      'generation is missing',
      'image is missing',
    ])
    expect(parseLeaf(null, context).issues[0]?.message).toBe('the file is empty')
    expect(parseLeaf(['a'], context).issues[0]?.message).toBe('expected a mapping, found a list')
  })

  it('shows at most 80 characters of what was found', () => {
    const [issue] = issuesOf({ mem_limit: 'x'.repeat(5000) })
    expect(issue?.message.length).toBeLessThan(140)
  })

  it('is a port of the ingress that the ingress cannot carry', () => {
    const line = { target: 53, published: 53, protocol: 'udp', mode: 'ingress' }
    expect(issuesOf({ ports: [line] }, true)[0]?.message).toContain('does not carry udp')
    expect(issuesOf({ ports: [{ target: 53, mode: 'ingress' }] }, true)[0]?.message).toContain('a number of its own')
  })
})
