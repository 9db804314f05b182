// A leaf file's data becomes the parts of a leaf, or a list of everything that is wrong with it. Never throws.

import type { ImagePolicy } from '../image-policy.ts'
import type { Milliseconds, Spec } from '../spec.ts'
import type { Dependency, Probe, UpdatePolicy } from '../tree.ts'
import { disagreements } from './agreement.ts'
import { type Issue, limited } from './issue.ts'
import type { SecretWish } from './keys/secrets.ts'
import { leafSpec } from './leaf-spec.ts'
import { readLeafKeys } from './leaf-values.ts'
import type { LeafValues } from './service-keys.ts'
import { describe } from './show.ts'
import { unsound } from './sound.ts'

export interface LeafParts {
  kind: 'container' | 'job'
  generation: number
  renamed_from: string | null
  /** Everything but `files`; `environment` is from the key of that name alone, without `env_file`. */
  spec: Omit<Spec, 'files'>
  /** In order; a later file wins over an earlier one, and `environment` over all. Paths are relative to the folder of the file that names them. */
  env_file: EnvFile[]
  /** Target (absolute path in the container) → where its bytes come from. */
  files: Record<string, FileWish>
  /** Secrets as files, and by variable the name of the secret that is its value. */
  secrets: { files: readonly SecretWish[]; environment: Record<string, string> }
  pull_policy: 'missing' | 'always' | 'never'
  probe: Probe | null
  update: UpdatePolicy
  image_policy: ImagePolicy | null
  on_unhealthy: 'restart' | 'ignore'
  prune: boolean
  depends_on: Map<string, Dependency>
}

export interface EnvFile {
  path: string
  required: boolean
  format?: 'raw'
}

export interface FileWish {
  /** Relative to the folder of the file that names it. */
  source: string
  mode: number
  uid: number
  gid: number
  interpolate: boolean
}

export interface LeafContext {
  /** Texts may hold symbols that stand for a host's values; typed scalars with one pass unchecked. */
  symbolic: boolean
  /** Whether the deployment has an ingress. */
  ingress: boolean
  leafName: string
}

const DEADLINE = { container: 120_000, job: 1_800_000 } as const
const DRAIN: Milliseconds = 10_000

/**
 * Reads a leaf: what its YAML holds, with the defaults of its sets merged under it and variables filled in. The parts are
 * null exactly when there are issues.
 */
export function parseLeaf(raw: unknown, context: LeafContext): { parts: LeafParts | null; issues: Issue[] } {
  const broken = unsound(raw, context)
  if (broken.length > 0) return { parts: null, issues: limited(broken) }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const message =
      raw === null || raw === undefined ? 'the file is empty' : `expected a mapping, found ${describe(raw)}`
    return {
      parts: null,
      issues: [{ path: [], at: 'value', message, remedy: 'write at least generation: 1 and image: …' }],
    }
  }
  const { values, issues } = readLeafKeys(raw)
  for (const [key, example] of REQUIRED) {
    if (Object.hasOwn(raw, key)) continue
    issues.push({ path: [], at: 'value', message: `${key} is missing`, remedy: `write for example ${example}` })
  }
  issues.push(...disagreements(values, context))
  return issues.length > 0 ? { parts: null, issues: limited(issues) } : { parts: leafParts(values, context), issues }
}

const REQUIRED = [
  ['generation', 'generation: 1'],
  ['image', 'image: docker.io/library/nginx:1.27'],
] as const

function secretVariables({ environment }: LeafValues): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment ?? {}).flatMap(([name, value]) =>
      typeof value === 'string' ? [] : [[name, value.secret]],
    ),
  )
}

function leafParts(values: LeafValues, context: LeafContext): LeafParts {
  const kind = values.kind ?? 'container'
  return {
    kind,
    generation: values.generation ?? 0,
    renamed_from: values.renamed_from ?? null,
    spec: leafSpec(values, context.ingress),
    env_file: values.env_file ?? [],
    files: values.files ?? {},
    secrets: { files: values.secrets ?? [], environment: secretVariables(values) },
    pull_policy: values.pull_policy ?? 'missing',
    probe: values.healthcheck?.kind === 'probe' ? values.healthcheck.probe : null,
    update: {
      order: null,
      deadline: DEADLINE[kind === 'job' ? 'job' : 'container'],
      settle: null,
      drain: DRAIN,
      measure: false,
      ...values.update,
    },
    image_policy: values.image_policy ?? null,
    on_unhealthy: values.on_unhealthy ?? 'restart',
    prune: values.prune ?? true,
    depends_on: values.depends_on ?? new Map(),
  }
}
