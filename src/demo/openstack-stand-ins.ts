// Images that stand in for OpenStack's on a laptop: some kilobytes of shell on busybox instead of gigabytes, which
// start, answer, migrate, fail and stop as the real ones do when seen from outside. The demo says that it uses them.

import { STAND_IN_PROGRAMS } from './openstack-stand-in-scripts.ts'
import type { StandIn, StandInFile } from './stand-in-images.ts'

/**
 * One stand-in for each distinct reference, sorted; all share one layer. `place` says under which name each goes into
 * the engine (the other side of a registry rewrite), as it is by default.
 *
 * A tag that contains `broken` makes a service that ends with code 1 a second after its start; a migration with that
 * tag succeeds. There is no entry point, unlike Kolla's dumb-init: the engine's own init reaps, as for any image without.
 */
export function openstackStandIns(
  references: Iterable<string>,
  place: (reference: string) => string = (reference) => reference,
): StandIn[] {
  return [...new Set(references)].toSorted().map((reference) => ({
    reference: place(reference),
    files,
    config: {
      Cmd: [nameOf(reference) === 'mongo' ? 'mongod' : 'kolla_start'],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', `STAND_IN_FOR=${reference}`],
      Labels: { 'org.opencontainers.image.title': `stand-in for ${reference}` },
    },
  }))
}

const files: Readonly<Record<string, StandInFile>> = Object.fromEntries(
  Object.entries(STAND_IN_PROGRAMS).map(([path, content]) => [path, { content, mode: 0o755 }]),
)

/** `quay.io/openstack.kolla/nova-api:2025.1` → `nova-api`. */
function nameOf(reference: string): string {
  const path = reference.split('@')[0] ?? ''
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last.split(':')[0] ?? last
}
