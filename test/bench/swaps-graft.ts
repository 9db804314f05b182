// graft by rooms that are warm, as the daemon has them: behind its ingress, or on a port of the host.

import { haproxyImage } from '../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../src/demo/host-system.ts'
import { HTTP_PORT, SERVICE_IMAGE } from '../engine/load/service-image.ts'
import { setStage } from '../engine/stage/stage.ts'
import { attachEvents, endStage } from './graft.ts'
import type { Ground } from './ground.ts'
import type { Swapper } from './swaps.ts'

const INGRESS_IMAGE = 'graft-bench/haproxy:1'

export async function graftSwapper(ground: Ground, port: number, mode: 'ingress' | 'host'): Promise<Swapper> {
  if (mode === 'ingress') {
    await haproxyImage(ground.docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  }
  const ingress = `ingress: {image: "${INGRESS_IMAGE}", generation: 1, ipv6: false}\n`
  const stage = await setStage({ engineUrl: ground.url, ...(mode === 'ingress' ? { deployment: ingress } : {}) })
  const stop = attachEvents(stage)
  const { reconciler } = stage.reconciler()
  return {
    name: mode === 'ingress' ? 'graft, behind its ingress' : 'graft, stop-first on a host port',
    note:
      mode === 'ingress'
        ? 'start-first; an http check is the gate, and the old container drains'
        : 'for what cannot overlap; an http check is the gate',
    async want(version) {
      await stage.commit({ 'web.yaml': leafText(version, port, mode) })
      const { results } = await reconciler.settle(await stage.wish(), new AbortController().signal)
      const bad = results.find(({ outcome }) => outcome.kind !== 'done')
      if (bad !== undefined) throw new Error(`graft failed: ${JSON.stringify(bad.outcome)}`)
    },
    async end() {
      stop()
      await endStage(stage, ground)
    },
  }
}

function leafText(version: number, port: number, mode: 'ingress' | 'host'): string {
  const how = mode === 'ingress' ? 'mode: ingress, http: true' : 'mode: host'
  return [
    `generation: ${version}`,
    `image: ${SERVICE_IMAGE}`,
    `environment: {GENERATION: "${version}"}`,
    `ports: [{target: ${HTTP_PORT}, published: ${port}, host_ip: 127.0.0.1, ${how}}]`,
    `healthcheck: {http: {port: ${HTTP_PORT}, path: /health}}`,
    '',
  ].join('\n')
}
