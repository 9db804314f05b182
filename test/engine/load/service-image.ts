// An image made on the spot that runs a small service under this machine's own Node: HTTP on 8080 and an echo on TCP
// 9000. Everything else about it is said by its environment; see service-program.mjs.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'

import type Docker from 'dockerode'

import { standInImages, type StandInFile } from '../../../src/demo/stand-in-images.ts'

const run = promisify(execFile)

export const SERVICE_IMAGE = 'graft-test/load-service:1'
export const HTTP_PORT = 8080
export const ECHO_PORT = 9000

/** Environment of one generation of the service. */
export interface ServiceEnvironment {
  readonly GENERATION: string
  /** Milliseconds after its start. */
  readonly CRASH_AFTER?: string
  /** Milliseconds after its start; it goes on serving. */
  readonly UNHEALTHY_AFTER?: string
  readonly NEVER_HEALTHY?: '1'
  /** Milliseconds until it serves anything. */
  readonly START_AFTER?: string
}

/** Loads the image as SERVICE_IMAGE and under `more` names; resolves to its id. */
export async function serviceImage(docker: Docker, more: readonly string[] = []): Promise<string> {
  const program = await readFile(new URL('service-program.mjs', import.meta.url))
  const files: Record<string, StandInFile> = {
    '/usr/local/bin/node': { content: await readFile(process.execPath), mode: 0o755 },
    '/service.mjs': { content: program },
    ...(await libraries(process.execPath)),
  }
  const config = { Entrypoint: ['/usr/local/bin/node', '/service.mjs'] }
  const ids = await standInImages(docker, [{ reference: [SERVICE_IMAGE, ...more], files, config }])
  return ids[0] ?? ''
}

/** The shared libraries that `ldd` names: the loader where it stands here, the rest in /lib. */
async function libraries(program: string): Promise<Record<string, StandInFile>> {
  const { stdout } = await run('ldd', [program])
  const files: Record<string, StandInFile> = {}
  for (const line of stdout.split('\n')) {
    const [, name, path] = /^\s*(?:(\S+) => )?(\/\S+) \(0x/.exec(line) ?? []
    if (path === undefined) continue
    files[name === undefined ? path : `/lib/${basename(name)}`] = { content: await readFile(path), mode: 0o755 }
  }
  return files
}
