// Brings up one engine for all engine tests, or uses again the one that an earlier run left, and puts the base image
// on it. GRAFT_KEEP_ENGINE=1 leaves it running, for later runs too, until one with GRAFT_KEEP_ENGINE=0 ends it.
// GRAFT_TEST_SUITE chooses another Debian suite's engine, GRAFT_TEST_GROUND another folder, for runs side by side.
// GRAFT_TEST_ENGINE_PROXY=1 puts a proxy before it that lets through the calls graft says it makes, and no others.

import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { engineClient } from '../../../src/demo/engine-address.ts'
import type { EngineSuite } from '../../../src/demo/engine-software.ts'
import { GroundFault } from '../../../src/demo/ground-fault.ts'
import { bringUpEngine, type HostEngine } from '../../../src/demo/host-engine.ts'
import { standInImage } from '../../../src/demo/stand-in-images.ts'
import { startEngineHaproxy } from '../least-privilege/engine-haproxy.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `unix:///…/docker.sock` */
    engineUrl: string
    /** The same, past the proxy where there is one. */
    directEngineUrl: string
  }
}

const suites: readonly EngineSuite[] = ['bookworm', 'trixie', 'sid']

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const suite = suites.find((name) => name === (process.env['GRAFT_TEST_SUITE'] ?? 'trixie'))
  if (suite === undefined) throw new Error(`GRAFT_TEST_SUITE is one of ${suites.join(', ')}.`)
  try {
    const engine = await bringUpEngine({
      suite,
      folder: `/var/tmp/graft-ground/${process.env['GRAFT_TEST_GROUND'] ?? suite}`,
      onProgress: (text) => console.log(`engine: ${text}`),
    })
    await standInImage(engineClient(engine.url), { reference: 'graft-test/base:1' })
    const proxy = process.env['GRAFT_TEST_ENGINE_PROXY'] === '1' ? await proxyBefore(engine) : null
    project.provide('directEngineUrl', engine.url)
    project.provide('engineUrl', proxy?.url ?? engine.url)
    const kept = join(engine.folder, 'keep')
    if (process.env['GRAFT_KEEP_ENGINE'] === '1') await writeFile(kept, '')
    if (process.env['GRAFT_KEEP_ENGINE'] === '0') await rm(kept, { force: true })
    return async () => {
      await proxy?.end()
      // Asked at the end, because a run beside this one may have asked to keep it.
      if (!existsSync(kept)) await engine.stop()
    }
  } catch (error) {
    // The remedy is what the person needs, and an error's own fields are not printed.
    if (error instanceof GroundFault) throw new Error(`${error.message}\n${error.remedy}`, { cause: error })
    throw error
  }
}

/**
 * graft names a version of the API in each call but the first; the tests' own clients do not, and are let through with
 * all that they do by hand.
 */
async function proxyBefore(engine: HostEngine): Promise<{ url: string; end(): Promise<void> }> {
  const proxy = await startEngineHaproxy({
    engineUrl: engine.url,
    folder: join(engine.folder, 'proxy'),
    first: ['    http-request allow if !{ path_reg ^/v1 }'],
  })
  return {
    url: proxy.url,
    end: async () => {
      console.log(['refused by the proxy:', ...proxy.refused(), `${proxy.refused().length} calls`].join('\n  '))
      await proxy.stop()
    },
  }
}
