// What the forges publish of the call that puts a status on a commit, as far as a request can be checked against it.
// Nothing of this was tried on a live forge.

import { z } from 'zod'

import type { ForgeKind } from '../../../src/forge/forge-project.ts'

interface ApiDescription {
  /** Where it is published. */
  readonly source: string
  /** With `{…}` for each part that a request fills in. */
  readonly path: string
  readonly body: z.ZodType
  /** The header that carries the token. */
  readonly token: { readonly name: string; readonly value: RegExp }
}

const url = z.url()

export const API_DESCRIPTIONS: Readonly<Record<ForgeKind, ApiDescription>> = {
  github: {
    source: 'github/rest-api-description, repos/create-commit-status (2022-11-28)',
    path: '/repos/{owner}/{repo}/statuses/{sha}',
    body: z.strictObject({
      state: z.enum(['error', 'failure', 'pending', 'success']),
      target_url: url.nullish(),
      // Longer ones are answered with 422, "description is too long (maximum is 140 characters)".
      description: z.string().max(140).nullish(),
      context: z.string().optional(),
    }),
    token: { name: 'authorization', value: /^Bearer \S+$/ },
  },
  gitlab: {
    source: 'GitLab REST API, commits, "Set commit pipeline status"',
    path: '/projects/{id}/statuses/{sha}',
    body: z.strictObject({
      state: z.enum(['pending', 'running', 'success', 'failed', 'canceled', 'skipped']),
      coverage: z.number().optional(),
      description: z.string().max(255).optional(),
      name: z.string().optional(),
      context: z.string().optional(),
      pipeline_id: z.number().optional(),
      ref: z.string().optional(),
      target_url: url.max(255).optional(),
    }),
    token: { name: 'private-token', value: /^\S+$/ },
  },
  gitea: {
    source: 'Gitea API, swagger.v1.json, repoCreateStatus, CreateStatusOption',
    path: '/repos/{owner}/{repo}/statuses/{sha}',
    body: z.strictObject({
      context: z.string().optional(),
      description: z.string().optional(),
      state: z.enum(['pending', 'success', 'error', 'failure', 'warning', 'skipped']).optional(),
      target_url: z.string().optional(),
    }),
    token: { name: 'authorization', value: /^token \S+$/ },
  },
  forgejo: {
    source: 'Forgejo API, swagger.v1.json, repoCreateStatus, CreateStatusOption',
    path: '/repos/{owner}/{repo}/statuses/{sha}',
    body: z.strictObject({
      context: z.string().optional(),
      description: z.string().optional(),
      state: z.enum(['pending', 'success', 'error', 'failure', 'warning']).optional(),
      target_url: z.string().optional(),
    }),
    token: { name: 'authorization', value: /^token \S+$/ },
  },
}

/** Whether a path is made by filling in the parts of a description's path. */
export function fits(path: string, description: string): boolean {
  const pattern = description.replaceAll(/[.*+?^$()[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')
  return new RegExp(`^${pattern}$`).test(path)
}
