// The mounts an inspected container was asked to have, from the three forms an engine keeps them in.

import type { Mount } from '../desired/spec.ts'
import type { RunningSpec } from '../plan/observed.ts'
import type { WireContainer, WireHostConfig, WireMount } from './wire.ts'

const PROPAGATIONS = new Set(['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate'])

/** Sorted by target. Volume mounts carry the volume's name on the engine. */
export function runningMounts(host: WireHostConfig): Mount[] {
  const mounts: Mount[] = []
  for (const mount of host.Mounts ?? []) {
    const read = readMount(mount)
    if (read !== null) mounts.push(read)
  }
  for (const bind of host.Binds ?? []) mounts.push(readBind(bind))
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) mounts.push(readTmpfs(target, options))
  return mounts.toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0))
}

/**
 * With the volumes that the engine made for paths which the image declares: they are not in what was asked for, and
 * hold data all the same.
 */
export function withAnonymousVolumes(running: RunningSpec, { Mounts: there = [] }: WireContainer): RunningSpec {
  const known = new Set(running.mounts.map(({ target }) => target))
  const made = (there ?? []).flatMap(({ Type, Name, Destination, RW }): Mount[] =>
    Type === 'volume' && Name !== undefined && Destination !== undefined && !known.has(Destination)
      ? [{ type: 'volume', source: Name, target: Destination, read_only: RW === false }]
      : [],
  )
  if (made.length === 0) return running
  return { ...running, mounts: [...running.mounts, ...made].toSorted((a, b) => (a.target < b.target ? -1 : 1)) }
}

function readMount(mount: WireMount): Mount | null {
  const target = mount.Target
  const source = mount.Source ?? ''
  const read_only = mount.ReadOnly ?? false
  switch (mount.Type) {
    case 'volume': {
      const { NoCopy, Subpath } = mount.VolumeOptions ?? {}
      return {
        type: 'volume',
        source,
        target,
        read_only,
        ...(NoCopy ? { nocopy: true } : {}),
        ...(Subpath ? { subpath: Subpath } : {}),
      }
    }
    case 'bind': {
      const propagation = mount.BindOptions?.Propagation
      return {
        type: 'bind',
        source,
        target,
        read_only,
        create_host_path: false,
        ...(propagation ? { propagation } : {}),
      }
    }
    case 'tmpfs': {
      const { SizeBytes, Mode } = mount.TmpfsOptions ?? {}
      return { type: 'tmpfs', target, ...(SizeBytes ? { size: SizeBytes } : {}), ...(Mode ? { mode: Mode } : {}) }
    }
    default:
      return null
  }
}

/** `SOURCE:TARGET[:OPTIONS]`; a source without a leading slash is a volume's name. */
function readBind(bind: string): Mount {
  const [source = '', target = '', options = ''] = bind.split(':')
  const words = options.split(',').filter((word) => word !== '')
  const read_only = words.includes('ro')
  if (!source.startsWith('/')) {
    return { type: 'volume', source, target, read_only, ...(words.includes('nocopy') ? { nocopy: true } : {}) }
  }
  const propagation = words.find((word) => PROPAGATIONS.has(word))
  const selinux = words.find((word) => word === 'z' || word === 'Z')
  return {
    type: 'bind',
    source,
    target,
    read_only,
    create_host_path: true,
    ...(propagation === undefined ? {} : { propagation }),
    ...(selinux === 'z' || selinux === 'Z' ? { selinux } : {}),
  }
}

function readTmpfs(target: string, text: string): Mount {
  const words = text.split(',').filter((word) => word !== '')
  const mount: Extract<Mount, { type: 'tmpfs' }> = { type: 'tmpfs', target }
  const options: string[] = []
  for (const word of words) {
    const [name, value = ''] = word.split('=')
    if (name === 'size' && /^\d+$/.test(value)) mount.size = Number(value)
    else if (name === 'mode' && /^[0-7]+$/.test(value)) mount.mode = Number.parseInt(value, 8)
    else options.push(word)
  }
  return options.length === 0 ? mount : { ...mount, options }
}
