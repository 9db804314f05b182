// Where settings are written: flags, GRAFT_* variables and the settings file, each value with its place for messages.

import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

import { SETTING_WORDS, type SettingWords } from '../daemon/setting-words.ts'
import { settingsSchema } from '../daemon/settings.ts'
import { nearest } from '../desired/nearest.ts'
import type { Problem } from '../desired/problem.ts'
import { createLocate, readYaml } from '../desired/yaml-document.ts'
import type { Given } from './command.ts'

export interface SettingSource {
  readonly value: unknown
  /** Folder that a relative path starts from. */
  readonly folder: string
  /** Where it stands, with a message. */
  problem(path: readonly (string | number)[], message: string, remedy: string): Problem
}

export type Sources = Map<string, SettingSource>

const KEYS = Object.keys(settingsSchema.shape)
const WORDS: Readonly<Record<string, SettingWords>> = SETTING_WORDS

/** Flags as commander gives them: `gitTokenFile`, `mirror` as a list of FROM=TO. */
export function fromFlags(flags: Given, cwd: string): { sources: Sources; problems: Problem[] } {
  const sources: Sources = new Map()
  const problems: Problem[] = []
  for (const key of KEYS) {
    const flag = WORDS[key]?.flag ?? key.replaceAll('_', '-')
    const value = flags[flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
    if (value === undefined) continue
    const name = `--${flag}`
    const text = value === true ? name : `${name} ${String(value)}`
    const problem: SettingSource['problem'] = (_path, message, remedy) => nowhere(text, message, remedy)
    sources.set(key, { value: listed(key, value), folder: cwd, problem })
  }
  return { sources, problems }
}

export function fromVariables(env: Readonly<Record<string, string | undefined>>, cwd: string): Sources {
  const sources: Sources = new Map()
  for (const key of KEYS) {
    const name = `GRAFT_${key.toUpperCase()}`
    const value = env[name]
    if (value === undefined || value === '') continue
    const problem: SettingSource['problem'] = (_path, message, remedy) => nowhere(`${name}=${value}`, message, remedy)
    sources.set(key, { value: listed(key, LISTED.has(key) ? value.split(',') : value), folder: cwd, problem })
  }
  return sources
}

/** `required`: the person named the file, so it must be there. */
export async function fromFile(
  file: string,
  required: boolean,
): Promise<{ sources: Sources; problems: Problem[] } | null> {
  let content: Uint8Array
  try {
    content = await readFile(file)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (missing && !required) return null
    const message = missing
      ? 'the settings file is not there'
      : `the settings file cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return {
      sources: new Map(),
      problems: [{ ...nowhere(null, message, 'make it, or correct --config or GRAFT_CONFIG'), file }],
    }
  }
  const entry = { path: file, kind: 'file', oid: '', executable: false, size: content.length, content } as const
  const document = readYaml(entry)
  if (document.problems.length > 0) return { sources: new Map(), problems: [...document.problems] }
  const locate = createLocate()
  const at = (
    path: readonly (string | number)[],
    where: 'key' | 'value',
    message: string,
    remedy: string,
  ): Problem => ({
    ...nowhere(null, message, remedy),
    ...locate(entry, path, where),
  })
  const sources: Sources = new Map()
  const problems: Problem[] = []
  const value = document.value ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    return {
      sources,
      problems: [at([], 'value', 'the settings file is not a mapping', 'write one KEY: value on each line')],
    }
  }
  for (const [key, setting] of Object.entries(value)) {
    if (!KEYS.includes(key)) {
      const close = nearest(key, KEYS)
      const remedy = close === null ? `the settings are ${KEYS.join(', ')}` : `did you mean ${close}?`
      problems.push(at([key], 'key', `there is no setting ${key}`, remedy))
      continue
    }
    sources.set(key, {
      value: setting,
      folder: dirname(resolve(file)),
      problem: (path, message, remedy) => at(path, 'value', message, remedy),
    })
  }
  return { sources, problems }
}

/** Settings that flags and variables give as a list of NAME=VALUE. */
const LISTED: ReadonlySet<string> = new Set(['mirrors', 'limits'])

function listed(key: string, value: unknown): unknown {
  if (key === 'mirrors') return mirrorRules(value)
  return key === 'limits' ? limitRules(value) : value
}

/** What does not read as NAME=VALUE makes a text of all, which the schema then refuses. */
function limitRules(value: unknown): unknown {
  const pairs = (Array.isArray(value) ? value : [value]).map((text: unknown) =>
    /^([^=]+)=(.*)$/.exec(String(text).trim())?.slice(1),
  )
  return pairs.every((pair) => pair !== undefined)
    ? Object.fromEntries(pairs.map(([name = '', text = '']) => [name, text]))
    : String(value)
}

/** What does not read as FROM=TO stays a text, which the schema then refuses. */
function mirrorRules(value: unknown): unknown {
  const texts = Array.isArray(value) ? value : [value]
  return texts.map((text: unknown) => {
    const [, from, to] = /^([^=]+)=(.+)$/.exec(String(text).trim()) ?? []
    return from === undefined ? text : { from, to }
  })
}

function nowhere(text: string | null, message: string, remedy: string): Problem {
  return { file: null, line: null, column: null, text, message, remedy, leaf: null, severity: 'unreadable' }
}
