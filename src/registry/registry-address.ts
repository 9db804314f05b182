// Where the API of a registry is, and whether plain HTTP will do there. Pure.

const DOCKER_HUB = 'docker.io'
/** Docker Hub's images have the name of one host and are served by another. */
const DOCKER_HUB_API = 'registry-1.docker.io'

/** Host and port that answer below /v2/. */
export function apiHost(registry: string): string {
  return registry === DOCKER_HUB ? DOCKER_HUB_API : registry
}

/** `127.0.0.1:5000`, `[::1]:5000`, `localhost`: on this machine, where Docker needs no TLS either. */
export function isLoopback(registry: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i.test(registry)
}

/**
 * Schemes to try, in order. As in Docker, a registry on this machine and one that is named as insecure, with or without
 * its port, may speak plain HTTP.
 */
export function schemesFor(registry: string, insecure: readonly string[]): readonly ('https' | 'http')[] {
  const bare = registry.replace(/:\d+$/, '')
  const may = isLoopback(registry) || insecure.includes(registry) || insecure.includes(bare)
  return may ? ['https', 'http'] : ['https']
}
