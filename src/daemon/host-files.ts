// What only the host knows: its policy and its own values. Read afresh at each wake; a mistake in them is a problem with
// a place, like any other.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'

import { NO_POLICY, parsePolicy, type Policy } from '../desired/policy.ts'
import type { Problem } from '../desired/problem.ts'
import { secretsStamp } from './secrets/host-secrets.ts'
import { secretPlaces } from './secrets/open-secrets.ts'
import type { Settings } from './settings.ts'
import { signatureRules } from './signature-rules.ts'

export interface HostFiles {
  readonly policy: Policy
  readonly variables: ReadonlyMap<string, string>
  /** The file of keys that commits may be signed with; null where none is asked for, or it cannot be read. */
  readonly trustedKeys: Uint8Array | null
  readonly problems: readonly Problem[]
  /** Changes exactly when something above does. */
  readonly fingerprint: string
}

/** A file that was named must be there; the default places may be empty. */
export async function readHostFiles(settings: Settings, state: string): Promise<HostFiles> {
  const problems: Problem[] = []
  const policyFile = settings.policy ?? join(state, 'policy.yaml')
  const policyText = await readWhereThere(policyFile, settings.policy !== undefined, 'policy', problems)
  const policy = policyText === null ? { policy: null, problems: [] } : parsePolicy(policyText, policyFile)
  const variablesFile = settings.host_variables ?? join(state, 'host.yaml')
  const text = await readWhereThere(variablesFile, settings.host_variables !== undefined, 'host_variables', problems)
  const { mode, keysFile } = signatureRules(settings, state)
  const { folder, keyFile } = secretPlaces(settings, state)
  const keys = mode === 'off' ? null : await readWhereThere(keysFile, true, 'verify_keys', problems, 'latin1')
  const variables = text === null ? new Map<string, string>() : parseVariables(text, variablesFile, problems)
  return {
    policy: policy.policy ?? { ...NO_POLICY, source: { file: policyFile, ruleLines: [] } },
    variables,
    trustedKeys: keys === null ? null : Buffer.from(keys, 'latin1'),
    problems: [...problems, ...policy.problems],
    fingerprint: JSON.stringify([policyText, text, mode, keys, await secretsStamp(folder, keyFile)]),
  }
}

const variablesSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

function parseVariables(text: string, file: string, problems: Problem[]): Map<string, string> {
  try {
    const result = variablesSchema.safeParse(parse(text, { logLevel: 'silent' }) ?? {})
    if (result.success) return new Map(Object.entries(result.data).map(([name, value]) => [name, String(value)]))
    const [issue] = result.error.issues
    problems.push(
      hostProblem(
        file,
        null,
        `${issue?.path.join('.') ?? ''} is not a text or a number`,
        'write one NAME: value on each line',
      ),
    )
  } catch (error) {
    const line = error instanceof YAMLParseError ? (error.linePos?.[0].line ?? null) : null
    problems.push(hostProblem(file, line, 'the file is not valid YAML', 'write one NAME: value on each line'))
  }
  return new Map()
}

async function readWhereThere(
  file: string,
  named: boolean,
  setting: string,
  problems: Problem[],
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<string | null> {
  try {
    return await readFile(file, encoding)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (missing && !named) return null
    const message = missing ? 'the file is not there' : `the file cannot be read: ${String(error)}`
    problems.push(hostProblem(file, null, message, `make it, or correct the setting ${setting}`))
    return null
  }
}

function hostProblem(file: string, line: number | null, message: string, remedy: string): Problem {
  return {
    file,
    line,
    column: line === null ? null : 1,
    text: null,
    message,
    remedy,
    leaf: null,
    severity: 'unreadable',
  }
}
