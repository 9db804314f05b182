// Tries whether an engine can start what the example asks for at its worst, and removes what it left on the engine's
// host afterwards: both by a container, because the engine may be on another machine.

import type Docker from 'dockerode'

import { standInImage } from './stand-in-images.ts'

const IMAGE = 'graft-demo.invalid/trial:1'
/** Containers of the example have the engine make these where they are missing. */
const FOLDERS = ['/run/netns', '/run/openvswitch']

export interface Trial {
  /** Why the engine cannot; null where it can. */
  readonly trouble: string | null
  /** How many files a container may have open there at most. */
  readonly openFiles: number
  readonly missingFolders: readonly string[]
}

export async function tryOut(engine: Docker): Promise<Trial> {
  const looks = FOLDERS.map((folder) => `[ -d ${folder} ] || echo ${folder}`)
  try {
    const said = (await runOnHost(engine, [...looks, 'ulimit -Hn'].join('\n'))).trim().split('\n')
    const limit = Number(said.at(-1))
    const missingFolders = said.filter((line) => FOLDERS.includes(line))
    return { trouble: null, missingFolders, openFiles: Number.isNaN(limit) ? Infinity : limit }
  } catch (error) {
    const trouble = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error)
    return { trouble, missingFolders: [], openFiles: Infinity }
  }
}

/** Removes the folders where they are empty. */
export async function removeFolders(engine: Docker, folders: readonly string[]): Promise<void> {
  const known = folders.filter((folder) => FOLDERS.includes(folder))
  if (known.length > 0)
    await runOnHost(engine, known.map((folder) => `rmdir ${folder} 2>/dev/null`).join('\n') + '\ntrue')
}

/** Runs a shell's lines with the privileges of nova-libvirt; resolves to what they print. */
async function runOnHost(engine: Docker, script: string): Promise<string> {
  await standInImage(engine, { reference: IMAGE })
  try {
    // In a variable of its own, because the client's types do not know CgroupnsMode (Engine API 1.41).
    const hostConfig = {
      Privileged: true,
      NetworkMode: 'host',
      PidMode: 'host',
      CgroupnsMode: 'host',
      Init: true,
      Binds: ['/run:/run:shared', '/dev:/dev', '/sys/fs/cgroup:/sys/fs/cgroup'],
    }
    const container = await engine.createContainer({
      Image: IMAGE,
      Cmd: ['sh', '-c', script],
      Tty: true,
      HostConfig: hostConfig,
    })
    try {
      await container.start()
      const { StatusCode } = (await container.wait()) as { StatusCode: number }
      const said = String(await container.logs({ stdout: true, stderr: true })).replaceAll('\r', '')
      if (StatusCode !== 0) throw new Error(`a container ended with ${StatusCode}: ${said.trim()}`)
      return said
    } finally {
      await container.remove({ force: true, v: true })
    }
  } finally {
    await engine.getImage(IMAGE).remove()
  }
}
