import { describe, expect, it } from 'vitest'

import type { Spec } from '../../../src/desired/spec.ts'
import type { NetworkOptions } from '../../../src/desired/tree.ts'
import { unmetApiNeeds } from '../../../src/plan/api-needs.ts'
import { filesDigest, optionsDigest } from '../../../src/plan/digests.ts'
import { imageVolumeName, imageVolumes } from '../../../src/plan/image-volumes.ts'
import { wantsInit } from '../../../src/plan/init.ts'
import { plainSpec } from '../../engine/contract/sample-tree.ts'

describe('an image’s volumes', () => {
  it('are those that no mount covers, each with a name that nothing else has', () => {
    const mounts: Spec['mounts'] = [{ type: 'tmpfs', target: '/cache/' }]
    const image = { volumes: ['/var/lib/mysql', '/cache', '/a-b', '/a/b'] }
    const names = imageVolumes('shop', 'db', { mounts }, image)
    expect(names.map((volume) => volume.target)).toEqual(['/a-b', '/a/b', '/var/lib/mysql'])
    expect(new Set(names.map((volume) => volume.name)).size).toBe(3)
    expect(imageVolumeName('shop', 'db', '/var/lib/mysql')).toBe('shop_db_var-lib-mysql')
  })
})

describe('init', () => {
  it('is left out only before an image’s own init', () => {
    const wants = (spec: Partial<Spec>, entrypoint: string[], command: string[] = []) =>
      wantsInit({ init: 'auto', ...spec }, { entrypoint, command })
    expect(wants({}, ['/docker-entrypoint.sh'])).toBe(true)
    expect(wants({}, ['/usr/bin/tini', '--', 'x'])).toBe(false)
    expect(wants({}, ['dumb-init', '--single-child', '--'])).toBe(false)
    expect(wants({}, [], ['/sbin/init'])).toBe(false)
    expect(wants({ entrypoint: ['/app'] }, ['/init'])).toBe(true)
    expect(wants({ entrypoint: [] }, ['/init'], ['/sbin/init'])).toBe(true)
    expect(wants({ init: true }, ['/init'])).toBe(true)
    expect(wants({ init: false }, ['/app'])).toBe(false)
  })
})

describe('what an older engine lacks', () => {
  it('is named with the version that brought it', () => {
    const spec: Spec = {
      ...plainSpec(),
      annotations: { a: 'b' },
      healthcheck: { start_interval: 5 },
      networks: {
        a: { aliases: [], mac_address: '02:00:00:00:00:01' },
        b: { aliases: [], mac_address: '02:00:00:00:00:02' },
      },
      mounts: [{ type: 'volume', source: 'data', target: '/d', read_only: false, subpath: 'x' }],
    }
    expect(unmetApiNeeds(spec, '1.41').map((need) => need.api)).toEqual(['1.43', '1.44', '1.44', '1.45'])
    expect(unmetApiNeeds(spec, '1.44').map((need) => need.field)).toEqual(['volumes.volume.subpath'])
    expect(unmetApiNeeds(spec, '1.51')).toEqual([])
    expect(unmetApiNeeds(plainSpec(), '1.41')).toEqual([])
  })
})

describe('digests', () => {
  it('do not depend on the order of keys, and do on every value', () => {
    const file = { sha256: 'a', mode: 1, uid: 2, gid: 3 }
    expect(filesDigest({})).toBe('')
    expect(filesDigest({ '/a': file, '/b': file })).toBe(
      filesDigest({ '/b': { gid: 3, uid: 2, mode: 1, sha256: 'a' }, '/a': file }),
    )
    expect(filesDigest({ '/a': file })).not.toBe(filesDigest({ '/a': { ...file, mode: 9 } }))
    const options: NetworkOptions = {
      driver: 'bridge',
      driver_opts: {},
      internal: false,
      attachable: false,
      enable_ipv6: false,
      ipam: { config: [] },
      labels: {},
    }
    expect(optionsDigest(options)).not.toBe(optionsDigest({ ...options, internal: true }))
  })
})
