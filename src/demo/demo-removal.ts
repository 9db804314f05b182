// Removes a demo by its record: its processes, what it has on the engine, the engine itself where it is the demo's own,
// and its folder.

import { rm } from 'node:fs/promises'

import { connectEngine } from '../engine/connect.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import type { EngineConnection } from '../engine/connect.ts'
import { endProcess } from './apart-process.ts'
import type { DemoPlace, DemoRecord } from './demo-place.ts'
import { removeRemains } from './engine-remains.ts'
import { bringUpEngine } from './host-engine.ts'

/** Resolves to what is left, in words; empty where nothing is. `connection`: to the record's engine, where there is one. */
export async function removeDemo(
  place: DemoPlace,
  record: DemoRecord,
  connection: EngineConnection | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  // The daemon first: it would mend what is removed.
  for (const process of record.processes) await endProcess(process, 60_000)
  let left: readonly string[] = []
  if (record.engine?.own === true || record.engine === null) {
    const own = record.engine?.own === true ? await bringUpEngine({ suite: 'trixie', folder: place.engine }) : null
    await own?.remove()
  } else {
    const open = connection ?? (await connectEngine(await engineAddress(record.engine.url, env)))
    left = await removeRemains(open.docker, record)
    if (connection === null) open.close()
  }
  if (left.length === 0) await rm(place.folder, { recursive: true, force: true })
  return left
}

/** With the certificates of the person's context, where that is the engine. */
async function engineAddress(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Awaited<ReturnType<typeof resolveEngineUrl>>> {
  const usual = await resolveEngineUrl(env, undefined)
  return usual.url === url ? usual : resolveEngineUrl(env, url)
}
