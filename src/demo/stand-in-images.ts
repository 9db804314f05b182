// Small images with a shell and the usual tools in them, loaded into an engine without a registry. The same input
// gives the same image id, and all images share one layer, so that many are loaded in about a second.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { arch } from 'node:process'
import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { pack } from 'tar-stream'
import type { Pack } from 'tar-stream'
import { GroundFault } from './ground-fault.ts'
import { runCommand } from './run-command.ts'
import { findStaticBusybox } from './static-busybox.ts'

/** The image's own configuration, with the names of the OCI Image Specification and Docker's Healthcheck. */
export interface StandInConfig {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly ExposedPorts?: Readonly<Record<string, object>>
  /** Durations in nanoseconds. */
  readonly Healthcheck?: {
    readonly Test: readonly string[]
    readonly Interval?: number
    readonly Timeout?: number
    readonly StartPeriod?: number
    readonly Retries?: number
  }
  readonly User?: string
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly Volumes?: Readonly<Record<string, object>>
  readonly StopSignal?: string
}

export interface StandIn {
  /** `name:tag`, or several names for one image. */
  readonly reference: string | readonly string[]
  /** Absolute path in the image → content. Mode defaults to 0644, owner to root. */
  readonly files?: Readonly<Record<string, StandInFile>>
  readonly config?: StandInConfig
}

export interface StandInFile {
  readonly content: string | Buffer
  readonly mode?: number
}

/** Loads one image; resolves to its id, `sha256:…`. Throws GroundFault. */
export async function standInImage(engine: Docker, standIn: StandIn): Promise<string> {
  const [id] = await standInImages(engine, [standIn])
  return id ?? ''
}

/** Loads all images in one call; resolves to their ids in the same order. Throws GroundFault. */
export async function standInImages(engine: Docker, standIns: readonly StandIn[]): Promise<readonly string[]> {
  const base = await baseLayer(await findStaticBusybox())
  const archive = pack()
  const ids: string[] = []
  const manifest: object[] = []
  const added = new Set<string>()
  const add = (name: string, content: string | Buffer): void => {
    if (!added.has(name)) archive.entry({ name, mtime: fixedTime }, content)
    added.add(name)
  }
  for (const { reference, files = {}, config = {} } of standIns) {
    const layers = Object.keys(files).length === 0 ? [base] : [base, await fileLayer(files)]
    const diffs = layers.map(digest)
    const image = Buffer.from(
      JSON.stringify({
        architecture: arch === 'x64' ? 'amd64' : arch,
        os: 'linux',
        created: fixedTime.toISOString(),
        config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin:/sbin'], ...config },
        rootfs: { type: 'layers', diff_ids: diffs.map((diff) => `sha256:${diff}`) },
        history: diffs.map(() => ({ created: fixedTime.toISOString(), created_by: 'graft stand-in' })),
      }),
    )
    layers.forEach((layer, index) => add(`${diffs[index]}.tar`, layer))
    add(`${digest(image)}.json`, image)
    ids.push(`sha256:${digest(image)}`)
    manifest.push({
      Config: `${digest(image)}.json`,
      RepoTags: typeof reference === 'string' ? [reference] : reference,
      Layers: diffs.map((diff) => `${diff}.tar`),
    })
  }
  add('manifest.json', JSON.stringify(manifest))
  archive.finalize()
  // The engine answers 200 and puts what went wrong into the stream (Engine API, ImageLoad).
  const answer = await text(Readable.from(await engine.loadImage(Readable.from(archive), { quiet: 1 })))
  const trouble = /"error":"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1]
  if (trouble !== undefined)
    throw new GroundFault(
      `The engine did not take the stand-in images: ${trouble}`,
      'Check that there is room where the engine keeps its images, then try again.',
    )
  return ids
}

/** Fixed, so that the same content has the same digest. */
const fixedTime = new Date('2024-01-01T00:00:00Z')

const baseLayers = new Map<string, Promise<Buffer>>()

/** /bin with busybox under each of its names, and the few files that programs expect. Made once a process. */
function baseLayer(busybox: string): Promise<Buffer> {
  const made = baseLayers.get(busybox) ?? makeBaseLayer(busybox)
  baseLayers.set(busybox, made)
  return made
}

async function makeBaseLayer(busybox: string): Promise<Buffer> {
  const program = await readFile(busybox)
  const names = (await runCommand(busybox, ['--list'])).stdout.split('\n').filter((name) => /^[\w.[\]-]+$/.test(name))
  const layer = pack()
  const folders = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'run', 'sbin', 'sys', 'usr', 'usr/bin', 'usr/local']
  for (const name of [...folders, 'usr/local/bin', 'usr/sbin', 'var', 'var/lib', 'var/log', 'var/run'])
    addEntry(layer, { name, type: 'directory', mode: 0o755 })
  for (const name of ['tmp', 'var/tmp']) addEntry(layer, { name, type: 'directory', mode: 0o1777 })
  addEntry(layer, { name: 'bin/busybox', mode: 0o755 }, program)
  for (const name of names)
    if (name !== 'busybox') addEntry(layer, { name: `bin/${name}`, type: 'link', linkname: 'bin/busybox', mode: 0o755 })
  for (const name of ['usr/bin/env', 'sbin/init'])
    addEntry(layer, { name, type: 'link', linkname: 'bin/busybox', mode: 0o755 })
  const accounts = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'
  addEntry(layer, { name: 'etc/passwd', mode: 0o644 }, accounts)
  addEntry(layer, { name: 'etc/group', mode: 0o644 }, 'root:x:0:\nnogroup:x:65534:\n')
  return finish(layer)
}

function fileLayer(files: Readonly<Record<string, StandInFile>>): Promise<Buffer> {
  const layer = pack()
  const folders = new Set<string>()
  for (const [path, { content, mode = 0o644 }] of Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const parts = path.replace(/^\/+/, '').split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/')
      // A folder that is in the base layer keeps its mode there.
      if (!folders.has(folder))
        addEntry(layer, { name: folder, type: 'directory', mode: folder === 'tmp' ? 0o1777 : 0o755 })
      folders.add(folder)
    }
    addEntry(layer, { name: parts.join('/'), mode }, content)
  }
  return finish(layer)
}

interface EntryHeader {
  readonly name: string
  readonly mode: number
  readonly type?: 'file' | 'directory' | 'link'
  readonly linkname?: string
}

function addEntry(layer: Pack, header: EntryHeader, content?: string | Buffer): void {
  const entry = { uid: 0, gid: 0, mtime: fixedTime, ...header }
  if (content === undefined) layer.entry(entry)
  else layer.entry(entry, content)
}

async function finish(layer: Pack): Promise<Buffer> {
  layer.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of layer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
