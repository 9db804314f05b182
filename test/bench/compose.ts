// Docker Compose 2: `docker-compose up -d` over the same services.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommand } from '../../src/demo/run-command.ts'
import type { Contender } from './contender.ts'
import { composeText } from './fleet.ts'
import { type Ground, removeLabelled } from './ground.ts'

export async function compose(ground: Ground): Promise<Contender> {
  const project = `graftbench${process.pid}`
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-compose-'))
  const file = join(folder, 'compose.yaml')
  const label = `com.docker.compose.project=${project}`
  const env = { ...process.env, DOCKER_HOST: ground.url, DOCKER_CONFIG: folder }

  return {
    name: `Compose ${ground.composeVersion}`,
    note: '`docker-compose up -d`, the whole command',
    label,
    serviceOf: (labels) => labels['com.docker.compose.service'] ?? null,
    rest: async () => undefined,
    want: (fleet) => writeFile(file, composeText(fleet)),
    async make() {
      const outcome = await runCommand(ground.compose, ['-p', project, '-f', file, 'up', '-d'], { env, cwd: folder })
      if (outcome.code !== 0) throw new Error(`docker-compose failed:\n${outcome.stderr}`)
    },
    async end() {
      await removeLabelled(ground.docker, label)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
