// What the mounts of a leaf reach on the host: bind mounts, and volumes that are bind mounts or disks in disguise. Pure.

import { cleanPath } from './host-paths.ts'
import type { Privilege } from './privileges.ts'
import type { Mount, Spec } from './spec.ts'
import type { Tree, VolumeWish } from './tree.ts'

/** Types of the local driver's volumes that mount no path of the host. */
const ELSEWHERE: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'tmpfs'])

export function mountPrivileges(spec: Spec, tree: Pick<Tree, 'volumes'>): Privilege[] {
  return spec.mounts.flatMap((mount): Privilege[] => {
    if (mount.type === 'bind') return [bindOf(mount)]
    if (mount.type !== 'volume') return []
    const volume = tree.volumes.get(mount.source)
    return volume === undefined ? [] : ofVolume(volume, mount.read_only)
  })
}

function bindOf(mount: Extract<Mount, { type: 'bind' }>): Privilege {
  const propagation = mount.propagation ?? null
  const relabel = mount.selinux !== undefined
  const words = [
    ...(mount.read_only ? ['read-only'] : []),
    ...(propagation === null ? [] : [propagation]),
    ...(relabel ? ['relabelled for SELinux'] : []),
  ]
  const text = `bind: ${mount.source}${words.length === 0 ? '' : ` (${words.join(', ')})`}`
  return { kind: 'bind', source: mount.source, readOnly: mount.read_only, propagation, relabel, text }
}

/** What it takes to mount one; nothing for a volume of the deployment's own without options. */
export function ofVolume({ name, key, external, options }: VolumeWish, readOnly: boolean): Privilege[] {
  if (external) return [{ kind: 'external_volume', name, text: `external volume: ${name}` }]
  const { driver, driver_opts: given } = options
  const hasOptions = Object.keys(given).length > 0
  if (driver === 'local' && !hasOptions) return []
  const text = hasOptions ? `volume driver options: ${key}` : `volume driver: ${driver}`
  const asked: Privilege = { kind: 'volume_driver', driver, hasOptions, text }
  return driver === 'local' ? localVolume(key, given, asked, readOnly) : [asked]
}

/**
 * The local driver hands `type`, `o` and `device` to mount(2): with `bind` among the options it mounts a folder whatever
 * the type says, and without it a path is a disk. A bind mount needs what bind mounts need, and nothing besides.
 */
function localVolume(
  key: string,
  given: Readonly<Record<string, string>>,
  asked: Privilege,
  readOnly: boolean,
): Privilege[] {
  const flags = (given['o'] ?? '').split(',')
  const device = given['device'] ?? ''
  const type = given['type'] ?? ''
  const places = (source: string, text = source): Privilege => ({
    kind: 'bind',
    source: cleanPath(source),
    readOnly: readOnly || flags.includes('ro'),
    propagation: null,
    relabel: false,
    text: `bind: ${text} (volume ${key})`,
  })
  // What mount(2) makes of it cannot be told from the words: a path from the engine's own folder, one that goes up over a
  // link, the kernel's own file systems. It needs what the whole host needs.
  const anywhere = (text: string): Privilege => places('/', text)
  if (flags.some((flag) => ['bind', 'rbind', 'move'].includes(flag))) {
    return [isPlain(device) ? places(device) : anywhere(device)]
  }
  const layers = flags.flatMap((flag) => {
    const [, option = '', paths = ''] = /^([^=]*)=(.*)$/s.exec(flag) ?? []
    return /^(?:lowerdir\+?|upperdir|workdir|datadir\+?)$/.test(option) ? paths.split(':') : []
  })
  const binds = layers.map((path) => (isPlain(path) ? places(path) : anywhere(path)))
  if (ELSEWHERE.has(type) || binds.length > 0) return [asked, ...binds]
  if (isPlain(device)) return [asked, { kind: 'device', source: device, text: `device: ${device} (volume ${key})` }]
  return type === '' && device === '' ? [asked] : [asked, anywhere(`${type} ${device}`.trim())]
}

/** An absolute path that means what it says. */
function isPlain(path: string): boolean {
  return path.startsWith('/') && !path.includes('\\') && cleanPath(path) === path.replace(/(.)\/+$/, '$1')
}
