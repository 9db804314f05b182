// The data of deployment.yaml becomes the parts of a deployment, or a list of everything that is wrong. Never throws.

import type * as z from 'zod'
import type { SecretSource } from '../secret-source.ts'
import type { NetworkOptions, VolumeWish } from '../tree.ts'
import type { Issue } from './issue.ts'
import { deploymentAdvice, deploymentShape } from './deployment-shape.ts'
import type { IngressParts } from './ingress-shape.ts'
import { readFile, type SetParts, setParts } from './set.ts'
import { mapping } from './shapes.ts'

export interface DeploymentParts extends SetParts {
  name: string
  format: 1
  prefix: string
  networks: Record<string, NetworkParts>
  volumes: Record<string, VolumeParts>
  secrets: Record<string, SecretSource>
  host_variables: Record<string, HostVariable>
  removal_limit: number | null
  ingress: IngressParts | null
}

export interface NetworkParts {
  /** The name on the engine, where the file says one. */
  name?: string
  external: boolean
  options: NetworkOptions
}

export interface VolumeParts {
  name?: string
  external: boolean
  options: VolumeWish['options']
}

export interface HostVariable {
  example: string
  description?: string
}

export const deploymentFile = mapping(deploymentShape, deploymentAdvice, 'does not belong here')

/** Reads deployment.yaml. The parts are null exactly when there are issues. */
export function parseDeployment(raw: unknown): { parts: DeploymentParts | null; issues: Issue[] } {
  return readFile(raw ?? {}, deploymentFile, deploymentParts)
}

function deploymentParts(values: z.output<typeof deploymentFile>): DeploymentParts {
  return {
    ...setParts(values),
    name: values.name,
    format: values.format ?? 1,
    prefix: values.prefix ?? '',
    networks: values.networks ?? {},
    volumes: values.volumes ?? {},
    secrets: values.secrets ?? {},
    host_variables: values.host_variables ?? {},
    removal_limit: values.removal_limit ?? null,
    ingress: values.ingress ?? null,
  }
}
