// Containers that a test makes by the bare engine's calls and that go when it ends.

import type { EngineConnection } from '../../src/engine/connect.ts'

const made: string[] = []

/** Starts `script` in a shell of the base image; resolves to the container's id. */
export async function runThrowaway(
  connection: EngineConnection,
  script: string,
  more: object = {},
  host: object = {},
): Promise<string> {
  const container = await connection.docker.createContainer({
    Image: 'graft-test/base:1',
    Cmd: ['sh', '-c', script],
    Labels: { 'dev.graft.deployment': 'talking', 'dev.graft.leaf': 'web' },
    HostConfig: { Init: true, ...host },
    ...more,
  })
  made.push(container.id)
  await container.start()
  return container.id
}

export async function removeThrowaways(connection: EngineConnection): Promise<void> {
  for (const id of made.splice(0)) {
    // Some tests remove theirs themselves.
    await connection.docker
      .getContainer(id)
      .remove({ force: true, v: true })
      .catch(() => {})
  }
}
