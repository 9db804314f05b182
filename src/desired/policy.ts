// The host's policy file: what a deployment may ask for on this host. It lies outside the repository, so that what
// the repository may not do it cannot grant itself. Without the file nothing dangerous is allowed. Pure.

import * as z from 'zod'
import { nearest } from './nearest.ts'
import { grantSchema, policySchema, ruleSchema } from './policy-schema.ts'
import type { Problem } from './problem.ts'
import { createLocate, readYaml, wholeFile } from './yaml-document.ts'

export type { Grant, Rule } from './policy-schema.ts'

export type Policy = z.infer<typeof policySchema> & {
  /** The file that it was read from, or in which it would be looked for; absent where there is none of either. */
  readonly source?: PolicySource
}

export interface PolicySource {
  readonly file: string
  /** Lines of the entries of `rules`, 1-based; empty where the file is not there. */
  readonly ruleLines: readonly (number | null)[]
}

/** What holds where the host has no policy file. */
export const NO_POLICY: Policy = { format: 1 }

/** Reads the policy file's text. `file`: its path, for the problems. `policy` is null when there are any. */
export function parsePolicy(text: string, file: string): { policy: Policy | null; problems: Problem[] } {
  const content = Buffer.from(text, 'utf8')
  const entry = { path: file, kind: 'file', oid: '', executable: false, size: content.length, content } as const
  const document = readYaml(entry)
  if (document.problems.length > 0) return { policy: null, problems: [...document.problems] }
  if (document.value === null)
    return { policy: null, problems: [wholeFile(entry, 'the policy file is empty', 'write format: 1')] }
  const result = policySchema.safeParse(document.value)
  const locate = createLocate()
  if (result.success) {
    const ruleLines = (result.data.rules ?? []).map((_, index) => locate(entry, ['rules', index], 'value').line)
    return { policy: { ...result.data, source: { file, ruleLines } }, problems: [] }
  }
  const problems = result.error.issues.flatMap((issue): Problem[] => {
    const found = innermost(issue)
    const path = found.path.filter((step) => typeof step !== 'symbol')
    if (found.issue.code === 'unrecognized_keys') {
      return found.issue.keys.map((key) => {
        const known = keysAt(path)
        const close = nearest(key, known)
        const remedy = close === null ? `the keys here are ${known.join(', ')}` : `did you mean ${close}?`
        const place = locate(entry, [...path, key], 'key')
        return { ...place, message: `the policy has no key ${key} here`, remedy, leaf: null, severity: 'unreadable' }
      })
    }
    const place = locate(entry, path, 'value')
    const { message, remedy } = words(found.issue, path)
    return [{ ...place, message, remedy, leaf: null, severity: 'unreadable' }]
  })
  return { policy: null, problems }
}

type Issue = z.core.$ZodIssue

/** What is wrong inside the alternative that was meant: the one that a mapping fits. */
function innermost(issue: Issue): { issue: Issue; path: readonly PropertyKey[] } {
  if (issue.code !== 'invalid_union') return { issue, path: issue.path }
  const inside = issue.errors.flat()
  const deeper = inside.find(({ code }) => code === 'unrecognized_keys') ?? inside.find(({ path }) => path.length > 0)
  return deeper === undefined ? { issue, path: issue.path } : { issue: deeper, path: [...issue.path, ...deeper.path] }
}

const LIMITS: readonly string[] = ['mem_limit', 'cpus', 'pids_limit']

function keysAt(path: readonly (string | number)[]): string[] {
  const [list, , key] = path
  if (list === 'grants') return key === 'binds' ? ['source', 'read_only', 'relabel'] : Object.keys(grantSchema.shape)
  if (list !== 'rules') return Object.keys(policySchema.shape)
  if (key === 'ports') return ['published', 'host_ip', 'protocol']
  return LIMITS.includes(String(key)) ? ['most'] : Object.keys(ruleSchema.shape)
}

function words(issue: Issue, path: readonly (string | number)[]): { message: string; remedy: string } {
  const name = path.length === 0 ? 'the policy' : path.join('.')
  const key = String(path.findLast((part) => typeof part === 'string'))
  if (name === 'format') return { message: 'format is 1', remedy: 'write format: 1' }
  const example = EXAMPLES[key]
  if (example !== undefined && issue.code !== 'invalid_type')
    return { message: `${name} is not what is expected here`, remedy: `write for example ${example}` }
  if (issue.code === 'invalid_value') {
    return {
      message: `${name} is none of the known words`,
      remedy: `write one of ${issue.values.map(String).join(', ')}`,
    }
  }
  if (issue.code === 'invalid_type') {
    return {
      message: `${name} is not what is expected here`,
      remedy: `write ${EXPECTED[issue.expected] ?? issue.expected}`,
    }
  }
  if (issue.code === 'custom' && key === 'source') {
    const right = issue.message.split('; ')[1] ?? 'correct it'
    return { message: `binds ${issue.message.split('; ')[0]}`, remedy: right.replace('write ', 'write the key ') }
  }
  if (key === 'source') return { message: `${name} ${issue.message}`, remedy: 'write a path that starts with /' }
  return { message: `${name} is not right: ${issue.message}`, remedy: 'correct it' }
}

/** What stands for a value that can be more than one thing. */
const EXAMPLES: Partial<Record<string, string>> = {
  removal_limit: 'removal_limit: 5 or removal_limit: 25%',
  host_root: 'host_root: true, or host_root: read_only',
  mem_limit: 'mem_limit: {most: 2g}, or mem_limit: required',
  most: '{most: 2}; memory as 512m or 2g',
  cpus: 'cpus: {most: 2}, or cpus: required',
  pids_limit: 'pids_limit: {most: 500}, or pids_limit: required',
  published: 'published: 8443, or published: 8000-8999',
  host_ip: 'host_ip: 127.0.0.1, or host_ip: 10.0.0.0/8',
}

const EXPECTED: Partial<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list: [a, b]',
  object: 'a mapping: key: value',
}
