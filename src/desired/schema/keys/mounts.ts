// `volumes` and `tmpfs`, and what graft has instead of Compose's other ways to bring data in.

import * as z from 'zod'
import { refused, served } from '../service-key.ts'
import { textOrList } from '../shapes.ts'
import { mountBlock } from './mount-block.ts'
import { mountLine } from './mount-line.ts'
import { tmpfsLine } from './tmpfs.ts'

export const mountKeys = {
  volumes: served(
    'Named volumes, folders of the host and tmpfs that are mounted into the container',
    z.array(z.union([mountLine, mountBlock])),
    ['data:/var/lib/data', '/run/netns:/run/netns:shared'],
    [{ type: 'volume', source: 'data', target: '/var/lib/data', read_only: true }],
  ),
  tmpfs: served('Folders that live in memory and end with the container', textOrList(tmpfsLine), '/run', [
    '/tmp:size=64m,mode=1777',
  ]),
  volumes_from: refused('declare a named volume in deployment.yaml and mount it in both leaves'),
  configs: refused('use files, which puts files of the repository into the container'),
  storage_opt: refused("leave it out: a container's layer has the size that the engine's storage gives it"),
}
