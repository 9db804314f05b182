// The tree of a dotenv or INI file with the metadata that SOPS flattens into lines. Pure; never throws.

import { createCollector } from './collect.ts'
import type { Structured } from './read-structured.ts'
import type { SopsFault, SopsNode } from './sops-file.ts'

const PREFIX = 'sops_'

/** `NAME=value` a line; `\n` in a value is a line break, as SOPS writes it. */
export function readDotenv(text: string): Structured | SopsFault {
  const collector = createCollector()
  const entries: [string, SopsNode][] = []
  const flat = new Map<string, string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const at = line.indexOf('=')
    if (at < 0) return { message: `line ${index + 1} has no =`, remedy: 'write it with sops' }
    const [name, value] = [line.slice(0, at), line.slice(at + 1).replaceAll('\\n', '\n')]
    if (name.startsWith(PREFIX)) flat.set(name.slice(PREFIX.length), value)
    else entries.push([name, collector.add([name], value)])
  }
  return { root: { kind: 'mapping', entries }, values: collector.values, metadata: unflatten(flat) }
}

/** Sections of `NAME = value`; what stands before the first section is in one named DEFAULT, as SOPS has it. */
export function readIni(text: string): Structured | SopsFault {
  const collector = createCollector()
  const sections: [string, (readonly [string, SopsNode])[]][] = [['DEFAULT', []]]
  const flat = new Map<string, string>()
  let section = 'DEFAULT'
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = written.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const head = /^\[(.+)\]$/.exec(line)
    if (head !== null) {
      section = (head[1] ?? '').trim()
      if (section !== 'sops') sections.push([section, []])
      continue
    }
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line)
    if (pair === null) return { message: `line ${index + 1} is no NAME = value`, remedy: 'write it with sops' }
    const [, name = '', value = ''] = pair
    if (section === 'sops') flat.set(name, unquoted(value).replaceAll('\\n', '\n'))
    else sections.at(-1)?.[1].push([name, collector.add([section, name], unquoted(value))])
  }
  const entries = sections
    .filter(([name, members]) => name !== 'DEFAULT' || members.length > 0)
    .map(([name, members]) => [name, { kind: 'mapping', entries: members }] as const)
  return { root: { kind: 'mapping', entries }, values: collector.values, metadata: unflatten(flat) }
}

function unquoted(value: string): string {
  const match = /^(["'`])(.*)\1$/.exec(value)
  return match === null ? value : (match[2] ?? '')
}

/** What of the flattened metadata (`age__list_0__map_enc`) is looked at, as data again; null where there is none. */
function unflatten(flat: ReadonlyMap<string, string>): unknown {
  if (flat.size === 0) return null
  const age: { recipient: string; enc: string }[] = []
  for (let index = 0; flat.has(`age__list_${index}__map_enc`); index++) {
    const at = `age__list_${index}__map_`
    age.push({ recipient: flat.get(`${at}recipient`) ?? '', enc: flat.get(`${at}enc`) ?? '' })
  }
  const groups = [...flat.keys()].filter((key) => key.startsWith('key_groups__')).length
  const others = ['pgp', 'kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms'].filter((kind) =>
    [...flat.keys()].some((key) => key.startsWith(`${kind}__list_`)),
  )
  return {
    ...Object.fromEntries(others.map((kind) => [kind, [{}]])),
    age,
    ...(groups === 0 ? {} : { key_groups: [{}, {}] }),
    lastmodified: flat.get('lastmodified'),
    mac: flat.get('mac'),
    mac_only_encrypted: flat.get('mac_only_encrypted') === 'true',
  }
}
