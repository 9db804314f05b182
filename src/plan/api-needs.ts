// What of a spec needs a newer Engine API than the oldest one served (1.41). Pure.

import type { Spec } from '../desired/spec.ts'

export interface ApiNeed {
  /** In Compose's words: `healthcheck.start_interval`. */
  readonly field: string
  /** The first version of the Engine API that has it. */
  readonly api: string
  /** The Docker version that brought it, for a person. */
  readonly docker: string
}

const NEEDS: readonly (ApiNeed & { readonly asked: (spec: Spec) => boolean })[] = [
  { field: 'annotations', api: '1.43', docker: '24.0', asked: (spec) => Object.keys(spec.annotations).length > 0 },
  {
    field: 'healthcheck.start_interval',
    api: '1.44',
    docker: '25.0',
    asked: ({ healthcheck }) =>
      healthcheck !== undefined && !('disable' in healthcheck) && healthcheck.start_interval !== undefined,
  },
  {
    // One container-wide address can be given to older engines; it goes to the first network.
    field: 'networks.mac_address',
    api: '1.44',
    docker: '25.0',
    asked: (spec) =>
      Object.values(spec.networks)
        .slice(1)
        .some((join) => join.mac_address !== undefined),
  },
  {
    field: 'volumes.volume.subpath',
    api: '1.45',
    docker: '26.0',
    asked: (spec) => spec.mounts.some((mount) => mount.type === 'volume' && mount.subpath !== undefined),
  },
]

/** The fields of the spec that an engine of this API version does not have; empty where all is well. */
export function unmetApiNeeds(spec: Spec, apiVersion: string): ApiNeed[] {
  return NEEDS.filter((need) => compareVersions(apiVersion, need.api) < 0 && need.asked(spec)).map(
    ({ field, api, docker }) => ({ field, api, docker }),
  )
}

/** Orders versions like `1.9` and `1.41` by their numbers: below, equal or above zero. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number))
  for (let i = 0; i < 2; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
