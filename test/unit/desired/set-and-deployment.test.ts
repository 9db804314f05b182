// set.yaml and deployment.yaml: what they may say, and what is wrong with the rest.

import { describe, expect, it } from 'vitest'
import { parseDeployment } from '../../../src/desired/schema/deployment.ts'
import { parseSet } from '../../../src/desired/schema/set.ts'

describe('a set', () => {
  it('may say nothing', () => {
    const nothing = {
      description: '',
      depends_on: [],
      version: null,
      variables: {},
      defaults: {},
      together: false,
      state: 'running',
      suspend: false,
    }
    expect(parseSet(null)).toEqual({ parts: nothing, issues: [] })
    expect(parseSet({})).toEqual({ parts: nothing, issues: [] })
  })

  it('may say everything', () => {
    const defaults = {
      image: 'x:${version}',
      ports: ['${A:-${B}}:80'],
      mem_limit: '$LIMIT',
      environment: { COST: '$$5' },
      'x-a': 1,
    }
    const said = {
      description: 'The database',
      depends_on: ['b-set', 'a-set'],
      version: '2025.1',
      variables: { N: 3, ON: true, TEXT: '${OTHER}' },
      defaults,
      update: { together: true },
      state: 'stopped',
      suspend: true,
      'x-owner': 'me',
    }
    expect(parseSet(said)).toEqual({
      parts: {
        description: 'The database',
        depends_on: ['a-set', 'b-set'],
        version: '2025.1',
        variables: { N: '3', ON: 'true', TEXT: '${OTHER}' },
        defaults,
        together: true,
        state: 'stopped',
        suspend: true,
      },
      issues: [],
    })
  })

  it.each([
    [{ versio: '1' }, ['versio'], 'unknown key versio', 'write version'],
    [{ version: 2025.1 }, ['version'], 'the number 2025.1 may not be what was written', 'write it in quotes: "2025.1"'],
    [{ variables: { 'a-b': 1 } }, ['variables', 'a-b'], 'no name of a variable', 'letters'],
    [{ variables: { version: 'x' } }, ['variables', 'version'], 'graft sets', 'version:'],
    [{ variables: { A: null } }, ['variables', 'A'], 'found nothing', 'some text'],
    [{ state: 'stoped' }, ['state'], 'found text "stoped"', 'write stopped'],
    [{ depends_on: 'x' }, ['depends_on'], 'expected a list', 'depends_on: [database-control]'],
    [{ update: { togeter: true } }, ['update', 'togeter'], 'update: unknown key togeter', 'write together'],
    [{ services: {} }, ['services'], 'does not belong here', 'NAME.yaml'],
    [{ defaults: { restart: 'never' } }, ['defaults', 'restart'], 'defaults.restart: expected no', 'always'],
    [{ defaults: { generation: 1 } }, ['defaults', 'generation'], 'does not belong here', 'each leaf'],
    [{ defaults: { restrat: 'x' } }, ['defaults', 'restrat'], 'unknown key restrat', 'write restart'],
    [{ defaults: { container_name: 'x' } }, ['defaults', 'container_name'], 'not served', 'file'],
    [{ defaults: { ports: ['80:x'] } }, ['defaults', 'ports', 0], 'found "x"', '8080'],
    [{ defaults: [] }, ['defaults'], 'expected a mapping, found a list', 'defaults: {stop_grace_period: 30s}'],
    ['text', [], 'expected a mapping, found text "text"', 'key: value'],
  ])('refuses %j', (raw, path, message, remedy) => {
    const { parts, issues } = parseSet(raw)
    expect(parts).toBeNull()
    expect(issues).toHaveLength(1)
    expect(issues[0]?.path).toEqual(path)
    expect(issues[0]?.message).toContain(message)
    expect(issues[0]?.remedy).toContain(remedy)
  })
})

const PLAIN_NETWORK = {
  driver: 'bridge',
  driver_opts: {},
  internal: false,
  attachable: false,
  enable_ipv6: false,
  ipam: { config: [] },
  labels: {},
}

describe('a deployment', () => {
  it('needs a name', () => {
    const { issues } = parseDeployment({ format: 1 })
    expect(issues).toHaveLength(1)
    expect(issues[0]).toMatchObject({ path: [], message: expect.stringMatching(/^name: .*missing/) })
    expect(parseDeployment({ name: 'openstack' }).parts).toMatchObject({
      name: 'openstack',
      format: 1,
      prefix: '',
      networks: {},
      volumes: {},
      host_variables: {},
      removal_limit: null,
      state: 'running',
    })
  })

  it('reads networks and volumes as Compose does', () => {
    const { parts, issues } = parseDeployment({
      name: 'openstack',
      prefix: 'os-',
      networks: {
        default: null,
        back: {
          driver: 'macvlan',
          driver_opts: { parent: 'eth0', mtu: 1500 },
          internal: 'true',
          enable_ipv6: true,
          ipam: { config: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1', aux_addresses: { a: '10.0.0.2' } }] },
          labels: ['a=1'],
        },
        provider: { external: true, name: 'provider-net' },
      },
      volumes: {
        data: null,
        fast: { driver: 'x', driver_opts: { size: 5 }, name: 'fast-1' },
        old: { external: 'true' },
      },
      host_variables: { ADDRESS: { example: '10.0.0.1', description: 'of this host' }, PORT: 80 },
      removal_limit: 5,
    })
    expect(issues).toEqual([])
    expect(parts).toMatchObject({
      prefix: 'os-',
      host_variables: { ADDRESS: { example: '10.0.0.1', description: 'of this host' }, PORT: { example: '80' } },
      removal_limit: 5,
    })
    expect(parts?.networks).toEqual({
      default: { external: false, options: PLAIN_NETWORK },
      back: {
        external: false,
        options: {
          driver: 'macvlan',
          driver_opts: { mtu: '1500', parent: 'eth0' },
          internal: true,
          attachable: false,
          enable_ipv6: true,
          ipam: { config: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1', aux_addresses: { a: '10.0.0.2' } }] },
          labels: { a: '1' },
        },
      },
      provider: { name: 'provider-net', external: true, options: PLAIN_NETWORK },
    })
    expect(parts?.volumes).toEqual({
      data: { external: false, options: { driver: 'local', driver_opts: {}, labels: {} } },
      fast: { name: 'fast-1', external: false, options: { driver: 'x', driver_opts: { size: '5' }, labels: {} } },
      old: { external: true, options: { driver: 'local', driver_opts: {}, labels: {} } },
    })
  })

  it.each([
    [{ name: 'Open Stack' }, ['name'], 'expected a name', 'openstack'],
    [{ format: 2 }, ['format'], 'expected 1', 'format: 1'],
    [{ prefix: '-x' }, ['prefix'], 'expected a prefix', 'os-'],
    [{ networks: ['a'] }, ['networks'], 'expected a mapping, found a list', 'networks: {default: {internal: true}}'],
    [
      { networks: { x: { external: true, driver: 'bridge' } } },
      ['networks', 'x', 'driver'],
      'external',
      'leave driver out',
    ],
    [
      { networks: { x: { ipam: { config: [{ subnet: '10.0.0.0' }] } } } },
      ['networks', 'x', 'ipam', 'config', 0, 'subnet'],
      'address range',
      '/16',
    ],
    [{ networks: { x: { enable_ipv4: false } } }, ['networks', 'x', 'enable_ipv4'], 'not served', 'leave it out'],
    [
      { networks: { x: { external: { name: 'y' } } } },
      ['networks', 'x', 'external'],
      'expected true or false, found a mapping',
      'true',
    ],
    [
      { volumes: { data: { labels: { 'dev.graft.x': 1 } } } },
      ['volumes', 'data', 'labels', 'dev.graft.x'],
      "graft's own",
      'your own',
    ],
    [{ volumes: { 'a/b': null } }, ['volumes', 'a/b'], 'no name', 'letters'],
    [{ host_variables: { A: {} } }, ['host_variables', 'A'], 'example: expected a text', '10.0.0.1'],
    [{ removal_limit: -1 }, ['removal_limit'], 'from 0', '10'],
    [{ netwroks: {} }, ['netwroks'], 'unknown key netwroks', 'write networks'],
  ])('refuses %j', (keys, path, message, remedy) => {
    const { parts, issues } = parseDeployment({ name: 'openstack', ...keys })
    expect(parts).toBeNull()
    expect(issues).toHaveLength(1)
    expect(issues[0]?.path).toEqual(path)
    expect(issues[0]?.message).toContain(message)
    expect(issues[0]?.remedy).toContain(remedy)
  })
})
