// Things on an engine that are somebody else's, and that no invariant lets graft touch: a container with the label of
// another deployment and the name of a leaf in it, a network and a volume.

import type Docker from 'dockerode'

const NAME = 'stranger'

/** Makes them anew. `image` has a `sleep`. */
export async function putStrangers(docker: Docker, image: string): Promise<void> {
  await removeStrangers(docker)
  await docker.createNetwork({ Name: NAME, Labels: { mine: 'yes' } })
  await docker.createVolume({ Name: NAME, Labels: { mine: 'yes' } })
  const container = await docker.createContainer({
    name: NAME,
    Image: image,
    Cmd: ['sleep', '1000000'],
    Labels: { 'dev.graft.deployment': 'another', 'dev.graft.leaf': 'web-1', 'dev.graft.kind': 'container' },
    HostConfig: { RestartPolicy: { Name: 'always' }, NetworkMode: NAME, Binds: [`${NAME}:/data`], Init: true },
  })
  await container.start()
}

export async function removeStrangers(docker: Docker): Promise<void> {
  const gone = () => undefined
  await docker.getContainer(NAME).remove({ force: true }).catch(gone)
  await docker.getNetwork(NAME).remove().catch(gone)
  await docker.getVolume(NAME).remove().catch(gone)
}
