// How much the files of a deployment may hold. Pure.

import { FILE_SIZE_LIMIT } from '../repository/snapshot.ts'

export interface ReadLimits {
  /** Bytes of one file whose content is used. */
  readonly fileBytes: number
  /** Bytes of one YAML file. */
  readonly yamlBytes: number
  /** Bytes of all YAML files together. */
  readonly yamlTotalBytes: number
  /** Values in one YAML file after every alias is followed. */
  readonly yamlValues: number
  /** Aliases that are followed in one YAML file. */
  readonly yamlAliases: number
  /** How deep values may nest. */
  readonly yamlDepth: number
  readonly leaves: number
  readonly sets: number
}

export const DEFAULT_READ_LIMITS: ReadLimits = {
  fileBytes: FILE_SIZE_LIMIT,
  yamlBytes: FILE_SIZE_LIMIT / 4,
  yamlTotalBytes: 16 * 1024 ** 2,
  yamlValues: 20_000,
  yamlAliases: 100,
  yamlDepth: 40,
  leaves: 10_000,
  sets: 10_000,
}

/** The largest that a host may set; files that a host has accepted are read again under these. */
export const LARGEST_READ_LIMITS: ReadLimits = {
  fileBytes: 64 * 1024 ** 2,
  yamlBytes: 4 * 1024 ** 2,
  yamlTotalBytes: 1024 ** 3,
  yamlValues: 50_000,
  yamlAliases: 10_000,
  yamlDepth: 40,
  leaves: 50_000,
  sets: 50_000,
}
