// One line of `volumes` in its short form (Compose Specification, services.volumes, short syntax).

import type { Mount } from '../../spec.ts'
import { containsSymbol } from '../../symbolic.ts'
import { type Mistake, scalar } from '../scalar.ts'
import { cut } from '../show.ts'
import { cleanPath } from '../texts.ts'

export const PROPAGATIONS = ['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate'] as const
export const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
export const ANONYMOUS: Mistake = {
  mistake: 'a volume without a name would be lost when the container is replaced',
  remedy: 'name it, as in data:/var/lib/data, and declare the name under volumes in deployment.yaml; or use tmpfs',
}

/** `SOURCE:TARGET[:OPTIONS]`. */
export const mountLine = scalar<Mount>({
  types: ['string'],
  expected: 'a mount, as SOURCE:TARGET[:OPTIONS]',
  example: 'data:/var/lib/data or /run/netns:/run/netns:ro,shared',
  json: { type: 'string', pattern: '^[^:]+:[^:]+(:[^:]+)?$' },
  read: (value) => readLine(String(value)),
  readsSymbols: true,
})

function readLine(line: string): { value: Mount } | Mistake | null {
  const [source = '', target, options, ...more] = line.split(':')
  if (source === '' || more.length > 0) return null
  if (target === undefined) return source.startsWith('/') ? ANONYMOUS : null
  if (!target.startsWith('/') && !containsSymbol(target)) {
    return {
      mistake: `expected an absolute path in the container, found "${cut(target)}"`,
      remedy: `write ${cut(source)}:/${cut(target)}`,
    }
  }
  const words = options === undefined ? [] : options.split(',')
  return source.startsWith('/')
    ? readBind(source, cleanPath(target), words)
    : readVolume(source, cleanPath(target), words)
}

function readBind(source: string, target: string, words: readonly string[]): { value: Mount } | Mistake {
  const mount: Mount = { type: 'bind', source: cleanPath(source), target, read_only: false, create_host_path: true }
  for (const word of words) {
    const propagation = PROPAGATIONS.find((one) => one === word)
    if (propagation !== undefined) mount.propagation = propagation
    else if (word === 'z' || word === 'Z') mount.selinux = word
    else if (!readAccess(mount, word)) return wrongOption(word, ['ro', 'rw', 'z', 'Z', ...PROPAGATIONS])
  }
  return { value: mount }
}

function readVolume(source: string, target: string, words: readonly string[]): { value: Mount } | Mistake {
  if (/^[.~]/.test(source)) {
    return {
      mistake: `${cut(source)} is not an absolute path on the host, and files of the repository are never mounted`,
      remedy: 'use files to put a file of the repository into the container',
    }
  }
  if (!VOLUME_NAME.test(source) && !containsSymbol(source)) return wrongVolumeName(source)
  const mount: Mount = { type: 'volume', source, target, read_only: false }
  for (const word of words) {
    if (word === 'nocopy') mount.nocopy = true
    else if (!readAccess(mount, word)) return wrongOption(word, ['ro', 'rw', 'nocopy'])
  }
  return { value: mount }
}

/** The options that both kinds take; the engines of today ignore the consistency words. */
function readAccess(mount: { read_only: boolean }, word: string): boolean {
  if (word === 'ro' || word === 'rw') mount.read_only = word === 'ro'
  return ['ro', 'rw', 'cached', 'delegated', 'consistent'].includes(word) || containsSymbol(word)
}

function wrongOption(word: string, known: readonly string[]): Mistake {
  return { mistake: `unknown mount option "${cut(word)}"`, remedy: `known options here are ${known.join(', ')}` }
}

export function wrongVolumeName(source: string): Mistake {
  return {
    mistake: `"${cut(source)}" is neither an absolute path nor the name of a volume`,
    remedy: 'write a name that deployment.yaml declares under volumes, or a path that starts with /',
  }
}
