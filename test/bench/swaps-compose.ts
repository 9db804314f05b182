// Docker Compose 2: `docker-compose up -d` with a changed environment.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommand } from '../../src/demo/run-command.ts'
import { HTTP_PORT, SERVICE_IMAGE } from '../engine/load/service-image.ts'
import { type Ground, removeLabelled } from './ground.ts'
import type { Swapper } from './swaps.ts'

export async function composeSwapper(ground: Ground, port: number): Promise<Swapper> {
  const project = `graftswap${process.pid}`
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-compose-'))
  const file = join(folder, 'compose.yaml')
  const env = { ...process.env, DOCKER_HOST: ground.url, DOCKER_CONFIG: folder }
  return {
    name: `Compose ${ground.composeVersion}`,
    note: '`docker-compose up -d` with a changed environment',
    async want(version) {
      const web = {
        image: SERVICE_IMAGE,
        environment: { GENERATION: String(version) },
        init: true,
        restart: 'always',
        ports: [`127.0.0.1:${port}:${HTTP_PORT}`],
      }
      // JSON is YAML.
      await writeFile(file, JSON.stringify({ services: { web } }))
      const outcome = await runCommand(ground.compose, ['-p', project, '-f', file, 'up', '-d'], { env, cwd: folder })
      if (outcome.code !== 0) throw new Error(`docker-compose failed:\n${outcome.stderr}`)
    },
    async end() {
      await removeLabelled(ground.docker, `com.docker.compose.project=${project}`)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
