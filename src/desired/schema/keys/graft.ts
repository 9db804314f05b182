// The keys of a leaf that Compose does not have: generation, files, update and the like.

import * as z from 'zod'
import type { FileWish } from '../leaf.ts'
import type { UpdatePolicy } from '../../tree.ts'
import { integer } from '../numbers.ts'
import { duration } from '../quantities.ts'
import { report, scalar } from '../scalar.ts'
import { served } from '../service-key.ts'
import { mapping, record, sortedRecord } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, choice, cleanPath, name, repositoryPath } from '../texts.ts'
import { fileMode } from './file-mode.ts'
import { imagePolicy } from './image-policy.ts'

/** Only a number itself: a variable here would let one commit mean two generations. */
const generation = scalar<number>({
  types: ['number'],
  expected: 'a whole number from 1',
  example: 'generation: 1',
  json: { type: 'integer', minimum: 1 },
  readsSymbols: true,
  read: (value) => (Number.isSafeInteger(value) && Number(value) >= 1 ? { value: Number(value) } : null),
})

const ROOT = { mode: 0o644, uid: 0, gid: 0, interpolate: false }
const OWNER = { min: 0, max: 4_294_967_294, example: '0' }

const file = z.union([
  repositoryPath('./nova.conf').transform((source): FileWish => ({ source, ...ROOT })),
  mapping({
    source: repositoryPath('./nova.conf').meta({ description: 'File in the repository, relative to this one' }),
    mode: fileMode().optional().meta({ description: 'Permission bits; "0644" where it is left out' }),
    uid: integer(OWNER).optional().meta({ description: "Owner's number in the container" }),
    gid: integer(OWNER).optional().meta({ description: "Group's number in the container" }),
    interpolate: boolean().optional().meta({ description: 'Whether variables in the file are filled in' }),
  }).transform((wish): FileWish => ({
    source: wish.source,
    mode: wish.mode ?? ROOT.mode,
    uid: wish.uid ?? ROOT.uid,
    gid: wish.gid ?? ROOT.gid,
    interpolate: wish.interpolate ?? ROOT.interpolate,
  })),
])

const files = record(file, (target) =>
  target.startsWith('/') && !target.endsWith('/')
    ? null
    : {
        mistake: `expected the absolute path of a file in the container, found "${cut(target)}"`,
        remedy: 'write for example /etc/nova/nova.conf',
      },
).transform((all, context) => {
  const found = new Map<string, FileWish>()
  for (const [target, wish] of Object.entries(all)) {
    const clean = cleanPath(target)
    if (found.has(clean)) {
      report(
        context,
        { mistake: `${cut(clean)} is written twice`, remedy: 'leave one of the two out' },
        [target],
        'key',
      )
    }
    found.set(clean, wish)
  }
  return sortedRecord(found)
})

const update = mapping({
  order: choice(['start-first', 'stop-first']).optional().meta({
    description: 'Whether the new container starts before the old one stops; chosen by graft where it is left out',
  }),
  deadline: duration(1)
    .optional()
    .meta({ description: 'The new container must pass its gate in this time; 2m, for jobs 30m' }),
  settle: duration(0)
    .optional()
    .meta({ description: 'The new container must stay healthy this long; 3s without a check, 0s with one' }),
  drain: duration(0).optional().meta({ description: 'How long the old container keeps its open connections; 10s' }),
  measure: boolean().optional().meta({
    description: 'true: graft knocks at the published ports during a swap, and reports how many knocks were lost',
  }),
}).transform((wish): Partial<UpdatePolicy> => {
  const policy: { -readonly [K in keyof UpdatePolicy]?: UpdatePolicy[K] } = {}
  if (wish.order !== undefined) policy.order = wish.order
  if (wish.deadline !== undefined) policy.deadline = wish.deadline
  if (wish.settle !== undefined) policy.settle = wish.settle
  if (wish.drain !== undefined) policy.drain = wish.drain
  if (wish.measure !== undefined) policy.measure = wish.measure
  return policy
})

export const graftKeys = {
  kind: served(
    'container: runs on and on. job: runs to its end once per generation',
    choice(['container', 'job']),
    'job',
  ),
  generation: served('Names this exact spec of the leaf for ever; raise it with every change', generation, 12),
  files: served('Files from the repository, by their path in the container', files, {
    '/etc/nova/nova.conf': './nova.conf',
    '/etc/nova/policy.yaml': { source: './policy.yaml', mode: '0440', uid: 42436 },
  }),
  update: served('How the container is replaced', update, { order: 'start-first', deadline: '2m', drain: '10s' }),
  image_policy: served(
    'Which tags of its image may follow, for graft outdated and graft bump --outdated',
    imagePolicy,
    { semver: '^3.2' },
    { pattern: '^v?(?<version>.*)-alpine$', prerelease: true },
  ),
  on_unhealthy: served('What follows when the check fails later on', choice(['restart', 'ignore']), 'restart'),
  prune: served('false: the container stays when the leaf goes away', boolean(), false),
  renamed_from: served(
    "The leaf's former name, whose container and ledger it takes over",
    name('nova-api'),
    'nova-api',
  ),
}
