// Certificates of authorities that Docker trusts for one registry: the files DIR/HOST:PORT/*.crt.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export const DOCKER_CERTIFICATES = '/etc/docker/certs.d'

/** PEM texts; none where there is no such folder or it may not be read. `host`: with its port, where it has one. */
export function authoritiesFor(host: string, folder: string = DOCKER_CERTIFICATES): string[] {
  if (!/^[\w.:[\]-]+$/.test(host) || host.startsWith('.')) return []
  try {
    const own = join(folder, host)
    const names = readdirSync(own).filter((name) => name.endsWith('.crt'))
    return names.map((name) => readFileSync(join(own, name), 'utf8'))
  } catch {
    return []
  }
}
