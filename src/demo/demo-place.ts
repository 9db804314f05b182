// The folder that one demo keeps everything in, and the record in it that tells a later process what to remove.

import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { Mistake } from '../cli/mistakes.ts'
import type { ProcessName } from './engine-state.ts'

export interface DemoPlace {
  readonly folder: string
  /** Bare repositories; the Git server's root. */
  readonly served: string
  readonly bare: string
  readonly work: string
  readonly state: string
  readonly config: string
  readonly hostVariables: string
  /** The host's policy, as the example has it. */
  readonly policy: string
  readonly log: string
  /** Of an engine that the demo brings up itself. */
  readonly engine: string
}

export interface DemoRecord {
  /** The demo itself; another one may not begin while it lives. */
  readonly demo: ProcessName
  readonly kept: boolean
  /** Processes that live apart from the demo: the daemon and the Git server. */
  readonly processes: readonly ProcessName[]
  /** Null until an engine was found. */
  readonly engine: { readonly url: string; readonly own: boolean } | null
  /** Null until names were chosen. */
  readonly names: DemoNames | null
  /** What was not there before, in an engine's own words. */
  readonly leftByEngine: { readonly lockImage: boolean; readonly folders: readonly string[] }
}

export interface DemoNames {
  /** The deployment's name, and of all that carries its label. */
  readonly deployment: string
  readonly prefix: string
  /** First three bytes: `172.29.236`. */
  readonly subnet: string
  /** The registry that the stand-ins seem to come from; a name that cannot exist (RFC 2606). */
  readonly registry: string
  readonly client: string
}

export function demoPlace(folder: string): DemoPlace {
  const served = join(folder, 'repositories')
  return {
    folder,
    served,
    bare: join(served, 'openstack.git'),
    work: join(folder, 'work'),
    state: join(folder, 'state'),
    config: join(folder, 'graft.config.yaml'),
    hostVariables: join(folder, 'host.yaml'),
    policy: join(folder, 'policy.yaml'),
    log: join(folder, 'graft.log'),
    engine: join(folder, 'engine'),
  }
}

/** Below /var/tmp, because an engine's data wants a real disk and its socket a short path. */
export function usualFolder(): string {
  return `/var/tmp/graft-demo-${process.getuid?.() ?? 0}`
}

/** Makes the folder for this user alone; one that somebody else made first is refused. */
export async function makePlace(place: DemoPlace): Promise<void> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 })
  const facts = await lstat(place.folder)
  if (facts.isDirectory() && (process.getuid === undefined || facts.uid === process.getuid())) return
  throw new Mistake(`${place.folder} belongs to somebody else`, 'name another folder with --folder')
}

/** Null where there is none. */
export async function readRecord(place: DemoPlace): Promise<DemoRecord | null> {
  try {
    return JSON.parse(await readFile(join(place.folder, 'demo.json'), 'utf8')) as DemoRecord
  } catch {
    return null
  }
}

export async function writeRecord(place: DemoPlace, record: DemoRecord): Promise<void> {
  const beside = join(place.folder, 'demo.json.new')
  await writeFile(beside, JSON.stringify(record, null, 2))
  await rename(beside, join(place.folder, 'demo.json'))
}
