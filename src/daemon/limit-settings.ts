// The group `limits` of the settings: how much graft reads of what others give it. Each has a safe default, and each
// refusal names the limit that made it.

import { z } from 'zod'

import { DEFAULT_READ_LIMITS, LARGEST_READ_LIMITS, type ReadLimits } from '../desired/read-limits.ts'
import { DEFAULT_LIMITS, type RepositoryLimits } from '../repository/limits.ts'

const K = 1024
const M = 1024 ** 2
const G = 1024 ** 3

/** A whole number, as a number or as digits. */
function count(least: number, most: number, usual: number, description: string) {
  return z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,12}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(least).max(most))
    .default(usual)
    .meta({ description: `${description}: ${least} to ${most}, default ${usual}` })
}

/** Bytes, or a number with k, m or g (powers of 1024). */
function bytes(least: number, most: number, usual: number, description: string) {
  return z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,12}(\.\d{1,6})?[kmg]?b?$/i)
        .transform(bytesIn),
    ])
    .pipe(z.int().min(least).max(most))
    .default(usual)
    .meta({ description: `${description}: ${short(least)} to ${short(most)}, default ${short(usual)}` })
}

function bytesIn(text: string): number {
  const [, digits = '', unit = ''] = /^([\d.]+)([kmg]?)b?$/i.exec(text) ?? []
  return Math.floor(Number(digits) * { k: K, m: M, g: G, '': 1 }[unit.toLowerCase() as 'k' | 'm' | 'g' | ''])
}

function short(size: number): string {
  if (size % G === 0) return `${size / G}g`
  if (size % M === 0) return `${size / M}m`
  return size % K === 0 ? `${size / K}k` : String(size)
}

const READ = DEFAULT_READ_LIMITS
const MOST = LARGEST_READ_LIMITS

export const limitsSchema = z.strictObject({
  git_seconds: count(10, 86_400, DEFAULT_LIMITS.operationMs / 1000, 'Seconds for one look at the repository'),
  git_idle_seconds: count(1, 3_600, DEFAULT_LIMITS.idleMs / 1000, 'Seconds without a byte from the Git server'),
  git_memory: bytes(64 * M, 64 * G, DEFAULT_LIMITS.memoryBytes, 'Memory of the process that reads Git'),
  git_answer: bytes(64 * K, 16 * G, DEFAULT_LIMITS.responseBytes, 'Bytes of one answer of the Git server'),
  files: count(10, 1_000_000, DEFAULT_LIMITS.filesPerSnapshot, 'Files of the deployment, its folders counted apart'),
  contents: bytes(64 * K, 16 * G, DEFAULT_LIMITS.contentBytes, 'Bytes of all files together'),
  file_size: bytes(K, MOST.fileBytes, READ.fileBytes, 'Bytes of one file that a leaf may use'),
  yaml_size: bytes(K, MOST.yamlBytes, READ.yamlBytes, 'Bytes of one YAML file'),
  yaml_in_all: bytes(K, MOST.yamlTotalBytes, READ.yamlTotalBytes, 'Bytes of all YAML files together'),
  yaml_values: count(100, MOST.yamlValues, READ.yamlValues, 'Values in one YAML file, aliases followed'),
  yaml_aliases: count(0, MOST.yamlAliases, READ.yamlAliases, 'Aliases that are followed in one YAML file'),
  yaml_depth: count(8, MOST.yamlDepth, READ.yamlDepth, 'How deep the values of a YAML file may nest'),
  leaves: count(1, MOST.leaves, READ.leaves, 'Leaves of the deployment'),
  sets: count(1, MOST.sets, READ.sets, 'Sets of the deployment'),
  webhook_size: bytes(K, 32 * M, 2 * M, 'Bytes of one webhook'),
  webhooks_per_minute: count(1, 60_000, 60, 'Webhooks a minute from one address'),
  webhooks_in_all: count(1, 600_000, 600, 'Webhooks a minute from all addresses that have not proven one lately'),
})

export type LimitSettings = z.output<typeof limitsSchema>

export const DEFAULT_LIMIT_SETTINGS: LimitSettings = limitsSchema.parse({})

export function repositoryLimits(limits: LimitSettings): RepositoryLimits {
  return {
    ...DEFAULT_LIMITS,
    operationMs: limits.git_seconds * 1000,
    idleMs: limits.git_idle_seconds * 1000,
    memoryBytes: limits.git_memory,
    responseBytes: limits.git_answer,
    filesPerSnapshot: limits.files,
    contentBytes: limits.contents,
    fileBytes: limits.file_size,
  }
}

export function readLimits(limits: LimitSettings): ReadLimits {
  return {
    fileBytes: limits.file_size,
    yamlBytes: Math.min(limits.yaml_size, limits.file_size),
    yamlTotalBytes: limits.yaml_in_all,
    yamlValues: limits.yaml_values,
    yamlAliases: limits.yaml_aliases,
    yamlDepth: limits.yaml_depth,
    leaves: limits.leaves,
    sets: limits.sets,
  }
}

/** What a value of one limit should be, for one that is not. */
export function limitWords(name: string): { readonly message: string; readonly remedy: string } | null {
  const schema: unknown = Object.hasOwn(limitsSchema.shape, name)
    ? limitsSchema.shape[name as keyof typeof limitsSchema.shape]
    : null
  if (!(schema instanceof z.ZodType)) return null
  const { description = '' } = schema.meta() ?? {}
  const range = / (\S+ to \S+), default (\S+)$/.exec(description)
  return {
    message: `limits.${name} is a whole number from ${range?.[1] ?? ''}`,
    remedy: `write for example ${name}: ${range?.[2] ?? ''}`,
  }
}
