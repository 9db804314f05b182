// One mount of `volumes` in its long form (Compose Specification, services.volumes, long syntax).

import * as z from 'zod'
import type { Mount } from '../../spec.ts'
import { containsSymbol } from '../../symbolic.ts'
import { bytes } from '../quantities.ts'
import { type Mistake } from '../scalar.ts'
import { mapping } from '../shapes.ts'
import { cut } from '../show.ts'
import { absolutePath, boolean, choice, cleanPath, text } from '../texts.ts'
import { folderMode } from './file-mode.ts'
import { ANONYMOUS, PROPAGATIONS, VOLUME_NAME, wrongVolumeName } from './mount-line.ts'

const SHARED = {
  source: text().optional().meta({ description: 'Name of a volume, or absolute path on the host' }),
  target: absolutePath('/var/lib/data').meta({ description: 'Absolute path in the container' }),
  read_only: boolean().optional(),
  consistency: text().optional().meta({ description: 'Ignored, as in Compose on Linux' }),
}

export const mountBlock = mapping({
  type: choice(['volume', 'bind', 'tmpfs'], {
    cluster: 'use a volume of the engine',
    npipe: 'named pipes exist on Windows only; leave it out',
    image: 'copy what is needed into an image of your own, or use a volume',
  }),
  ...SHARED,
  volume: mapping(
    { nocopy: boolean().optional(), subpath: text().optional() },
    { labels: 'set labels on the volume in deployment.yaml' },
  ).optional(),
  bind: mapping(
    {
      propagation: choice(PROPAGATIONS).optional(),
      create_host_path: boolean().optional(),
      selinux: choice(['z', 'Z']).optional(),
    },
    { recursive: "leave it out: the engine's own choice is kept" },
  ).optional(),
  tmpfs: mapping({ size: bytes().optional(), mode: folderMode().optional() }).optional(),
}).transform((wish, context): Mount => {
  const wrong = longMistake(wish)
  if (wrong !== null) {
    context.issues.push({
      code: 'custom',
      message: wrong.mistake,
      input: wish,
      path: wrong.path,
      params: { remedy: wrong.remedy, at: wrong.path.length > 0 ? 'key' : 'value' },
    })
    return z.NEVER
  }
  return longMount(wish)
})

interface LongMount {
  type: 'volume' | 'bind' | 'tmpfs'
  source?: string | undefined
  target: string
  read_only?: boolean | undefined
  volume?: { nocopy?: boolean | undefined; subpath?: string | undefined } | undefined
  bind?:
    | { propagation?: string | undefined; create_host_path?: boolean | undefined; selinux?: 'z' | 'Z' | undefined }
    | undefined
  tmpfs?: { size?: number | undefined; mode?: number | undefined } | undefined
}

function longMistake(wish: LongMount): (Mistake & { path: string[] }) | null {
  if (containsSymbol(wish.type)) return null
  for (const block of ['volume', 'bind', 'tmpfs'] as const) {
    if (wish[block] !== undefined && block !== wish.type) {
      return {
        mistake: `${block} options on a mount of type ${wish.type}`,
        remedy: `write them under ${wish.type}`,
        path: [block],
      }
    }
  }
  const { source } = wish
  // To an engine a colon ends the path, and what follows are options that nobody judged.
  for (const key of ['source', 'target'] as const) {
    const path = wish[key]
    if (path === undefined || containsSymbol(path) || !path.includes(':')) continue
    return {
      mistake: `${cut(path)} has a colon in it`,
      remedy: 'no engine mounts such a path; use another one',
      path: [key],
    }
  }
  if (wish.type === 'tmpfs') {
    return source === undefined
      ? null
      : { mistake: 'a tmpfs has no source', remedy: 'leave source out', path: ['source'] }
  }
  if (source === undefined) {
    return wish.type === 'volume'
      ? { ...ANONYMOUS, path: [] }
      : { mistake: 'a bind mount needs a source', remedy: 'write source: /path/on/the/host', path: [] }
  }
  if (containsSymbol(source)) return null
  if (wish.type === 'bind' && !source.startsWith('/')) {
    return {
      mistake: `${cut(source)} is not an absolute path on the host, and files of the repository are never mounted`,
      remedy: 'write an absolute path, or use files to put a file of the repository into the container',
      path: ['source'],
    }
  }
  return wish.type === 'volume' && !VOLUME_NAME.test(source) ? { ...wrongVolumeName(source), path: ['source'] } : null
}

function longMount(wish: LongMount): Mount {
  const { target, source = '' } = wish
  const read_only = wish.read_only ?? false
  if (wish.type === 'tmpfs') {
    const mount: Mount = { type: 'tmpfs', target }
    if (wish.tmpfs?.size !== undefined) mount.size = wish.tmpfs.size
    if (wish.tmpfs?.mode !== undefined) mount.mode = wish.tmpfs.mode
    if (read_only) mount.options = ['ro']
    return mount
  }
  if (wish.type === 'bind') {
    const mount: Mount = {
      type: 'bind',
      source: cleanPath(source),
      target,
      read_only,
      create_host_path: wish.bind?.create_host_path ?? true,
    }
    if (wish.bind?.propagation !== undefined) mount.propagation = wish.bind.propagation
    if (wish.bind?.selinux !== undefined) mount.selinux = wish.bind.selinux
    return mount
  }
  const mount: Mount = { type: 'volume', source, target, read_only }
  if (wish.volume?.nocopy === true) mount.nocopy = true
  if (wish.volume?.subpath !== undefined) mount.subpath = wish.volume.subpath
  return mount
}
