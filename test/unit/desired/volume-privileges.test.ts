// Volumes of the local driver hand words to mount(2): what they reach on the host is told from them, or else everything is.

import { expect, it } from 'vitest'

import { ofVolume } from '../../../src/desired/mount-privileges.ts'

const options = { driver: 'local', labels: {} }

function asked(driver_opts: Record<string, string>): string[] {
  const wish = { key: 'v', name: 'shop_v', external: false, options: { ...options, driver_opts } }
  return ofVolume(wish, false).map((privilege) =>
    privilege.kind === 'bind' || privilege.kind === 'device' ? `${privilege.kind} ${privilege.source}` : privilege.kind,
  )
}

it.each<[Record<string, string>, string[]]>([
  [{}, []],
  [{ type: 'nfs', o: 'addr=10.0.0.1', device: ':/export' }, ['volume_driver']],
  [{ type: 'tmpfs', device: 'tmpfs' }, ['volume_driver']],
  [{ type: 'none', o: 'bind', device: '/srv/data' }, ['bind /srv/data']],
  [{ type: 'none', o: 'bind', device: '/srv/data/' }, ['bind /srv/data']],
  [{ type: 'none', o: 'bind', device: 'etc' }, ['bind /']],
  [{ type: 'none', o: 'bind', device: '../etc' }, ['bind /']],
  [{ type: 'none', o: 'bind', device: '/var/run/../etc' }, ['bind /']],
  [{ type: 'ext4', device: '/dev/sdb' }, ['volume_driver', 'device /dev/sdb']],
  [{ type: 'ext4', device: '/dev/../dev/sdb' }, ['volume_driver', 'bind /']],
  [{ type: 'proc', device: 'proc' }, ['volume_driver', 'bind /']],
  [{ type: 'devtmpfs', device: 'x' }, ['volume_driver', 'bind /']],
  [
    { type: 'overlay', o: 'lowerdir=/srv/a:/srv/b', device: 'overlay' },
    ['volume_driver', 'bind /srv/a', 'bind /srv/b'],
  ],
  [{ type: 'overlay', o: 'lowerdir=etc:root', device: 'overlay' }, ['volume_driver', 'bind /', 'bind /']],
  [
    { type: 'overlay', o: 'lowerdir=/srv/a=b:/etc', device: 'overlay' },
    ['volume_driver', 'bind /srv/a=b', 'bind /etc'],
  ],
  [{ type: 'overlay', o: 'lowerdir=/srv/a\\:/etc', device: 'overlay' }, ['volume_driver', 'bind /', 'bind /etc']],
])('%j asks for %j', (given, expected) => {
  expect(asked(given)).toEqual(expected)
})
