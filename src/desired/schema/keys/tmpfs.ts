// One line of the key `tmpfs`: `/run:size=64m,mode=1777` (Compose Specification, services.tmpfs).

import type { Mount } from '../../spec.ts'
import { containsSymbol } from '../../symbolic.ts'
import { bytes } from '../quantities.ts'
import { type Mistake, scalar, symbolAs } from '../scalar.ts'
import { cut } from '../show.ts'
import { cleanPath } from '../texts.ts'
import { folderMode } from './file-mode.ts'

type Tmpfs = Extract<Mount, { type: 'tmpfs' }>

export const tmpfsLine = scalar<Tmpfs>({
  types: ['string'],
  expected: 'an absolute path in the container, as /PATH[:OPTIONS]',
  example: '/run or /tmp:size=64m,mode=1777',
  json: { type: 'string', pattern: '^/' },
  readsSymbols: true,
  read: (value) => {
    const text = String(value)
    const colon = text.indexOf(':')
    const target = colon < 0 ? text : text.slice(0, colon)
    if (!target.startsWith('/') && !containsSymbol(target)) return null
    const mount: Tmpfs = { type: 'tmpfs', target: cleanPath(target) }
    const options: string[] = []
    for (const word of colon < 0 ? [] : text.slice(colon + 1).split(',')) {
      const wrong = readOption(mount, options, word)
      if (wrong !== null) return wrong
    }
    if (options.length > 0) mount.options = [...new Set(options)].sort()
    return { value: mount }
  },
})

const size = bytes()
const mode = folderMode()

function readOption(mount: Tmpfs, options: string[], word: string): Mistake | null {
  const equals = word.indexOf('=')
  const key = equals < 0 ? word : word.slice(0, equals)
  const value = equals < 0 ? '' : word.slice(equals + 1)
  if (word === '') return { mistake: 'an empty tmpfs option', remedy: 'write for example /tmp:size=64m,mode=1777' }
  if (key !== 'size' && key !== 'mode') {
    options.push(word)
    return null
  }
  if (key === 'size' && /^\d+%$/.test(value)) {
    options.push(word)
    return null
  }
  const read = containsSymbol(value)
    ? { success: true, data: symbolAs<number>(value) }
    : (key === 'size' ? size : mode).safeParse(value)
  if (!read.success || read.data === undefined) {
    return {
      mistake: `the tmpfs option ${key} cannot be "${cut(value)}"`,
      remedy: key === 'size' ? 'write for example size=64m' : 'write for example mode=1777',
    }
  }
  mount[key] = read.data
  return null
}
