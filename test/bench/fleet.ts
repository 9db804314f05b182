// The services that all contenders run: the same command, environment, init, restart policy, log rotation and network,
// once as leaves, once as a Compose file and once as the engine's own create options.

import type Docker from 'dockerode'

import { IMAGE } from './ground.ts'

/** A service's name, and the number that an upgrade raises. */
export interface Service {
  readonly name: string
  readonly version: number
}

export const PORT = 8080
const COMMAND = ['/bin/httpd', '-f', '-p', String(PORT)]

export function services(prefix: string, count: number): Service[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}-${String(index + 1).padStart(3, '0')}`,
    version: 1,
  }))
}

/** The first `count` services with the next version. */
export function upgrade(fleet: readonly Service[], count: number): Service[] {
  return fleet.map((service, index) => (index < count ? { ...service, version: service.version + 1 } : service))
}

/**
 * `none`: running is all a candidate must prove, and at once, and the old one goes at once: what Compose does, too.
 * `tcp`: the port of the new one must answer, and the old one keeps its connections for a while, as is graft's default.
 */
export type Gate = 'none' | 'tcp'

/** `more`: further lines. */
export function leafText({ version }: Service, gate: Gate, more = ''): string {
  const check =
    gate === 'tcp' ? `healthcheck: {tcp: {port: ${PORT}}, interval: 1s}\n` : 'update: {settle: 0s, drain: 0s}\n'
  return [
    `generation: ${version}`,
    `image: ${IMAGE}`,
    `command: ${JSON.stringify(COMMAND)}`,
    `environment: {VERSION: "${version}"}`,
    check + more,
  ].join('\n')
}

export function composeText(fleet: readonly Service[]): string {
  const entries = fleet.map(({ name, version }) => [
    name,
    {
      image: IMAGE,
      command: COMMAND,
      environment: { VERSION: String(version) },
      init: true,
      restart: 'always',
      logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
    },
  ])
  // JSON is YAML.
  return JSON.stringify({ services: Object.fromEntries(entries) })
}

export function createOptions(
  { name, version }: Service,
  network: string,
  label: string,
): Docker.ContainerCreateOptions {
  return {
    name,
    Image: IMAGE,
    Cmd: COMMAND,
    Env: [`VERSION=${version}`],
    Labels: { [label]: name },
    HostConfig: {
      Init: true,
      NetworkMode: network,
      RestartPolicy: { Name: 'always' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  }
}
