// The leaf that `ingress` in deployment.yaml stands for: graft's own keys around the author's, read as any leaf is. Pure.

import type { SnapshotEntry } from '../repository/snapshot.ts'
import {
  INGRESS_CAPABILITIES,
  INGRESS_CONFIG,
  INGRESS_LEAF,
  INGRESS_SOCKET,
  INGRESS_SOCKETS,
  INGRESS_VOLUME,
} from './ingress-names.ts'
import { ledgerDigest } from './ledger-digest.ts'
import { NOTHING_MERGED } from './merge.ts'
import type { Problem } from './problem.ts'
import type { RootContext } from './read-deployment.ts'
import { NO_CONTENTS } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { IngressParts } from './schema/ingress-shape.ts'
import { parseLeaf } from './schema/leaf.ts'
import type { LeafParts } from './schema/leaf.ts'
import { isMapping } from './set-context.ts'
import type { Locate, YamlDocument } from './yaml-document.ts'
import { generationAt } from './yaml-document.ts'

/** Keys that reach its leaf as the author wrote them. */
const AUTHORS_KEYS = [
  'image',
  'generation',
  'image_policy',
  'mem_limit',
  'cpus',
  'logging',
  'labels',
  'environment',
  'pull_policy',
] as const

/** Milliseconds between its checks, and how long each may take. */
const RHYTHM = { interval: 5000, timeout: 5000, retries: 3, start_period: 0 }
const DRAIN = '10s'
/** The old one keeps serving until the new one has taken over; then it only ends what is open, within its grace period. */
const OVERLAP = '3s'
/** Any of the loopback addresses on which ingress containers answer graft's check. */
const CHECK_ADDRESS = '127.64.0.0'

export interface IngressWish {
  /** `ingress` with the host's values, and with host variables as symbols; the very same where none had a part. */
  readonly real: unknown
  readonly symbolic: unknown
  /** Null where it has mistakes, which were told. */
  readonly parts: IngressParts | null
}

/**
 * Null where there is no ingress to read. No defaults of the root lie under it: they are for services, and would change
 * what carries them.
 */
export function ingressLeaf(
  wish: IngressWish,
  root: RootContext,
  document: YamlDocument,
  locate: Locate,
): ReadLeaf | null {
  const { parts } = wish
  if (parts === null || !isMapping(wish.real)) return null
  const keys = leafKeys(wish.real)
  const real = parseLeaf(keys, { symbolic: false, ingress: true, leafName: INGRESS_LEAF })
  const hosted = wish.symbolic !== wish.real && isMapping(wish.symbolic)
  const symbolic =
    hosted && isMapping(wish.symbolic)
      ? parseLeaf(leafKeys(wish.symbolic), { symbolic: true, ingress: true, leafName: INGRESS_LEAF })
      : real
  const problems: Problem[] = []
  const faulty = real.parts === null ? real : symbolic
  for (const { path, at, message, remedy } of faulty.issues) {
    const place = locate(document.entry, ['ingress', ...path], at)
    const said = faulty === real ? message : `a host variable cannot stand here: ${message}`
    const right = faulty === real ? remedy : 'write the value itself, or a variable of the repository'
    problems.push({ ...place, message: said, remedy: right, leaf: INGRESS_LEAF, severity: 'unreadable' })
  }
  const spec = real.parts === null ? null : { ...real.parts.spec, files: {} }
  const read = symbolic.parts === null ? null : { ...symbolic.parts.spec, files: {} }
  const whole: LeafParts | null =
    real.parts === null || symbolic.parts === null
      ? null
      : { ...real.parts, probe: { kind: 'ingress', port: parts.checkPort, ...RHYTHM } }
  const own = { document, base: ['ingress'], value: keys }
  return {
    name: INGRESS_LEAF,
    set: root,
    document: { ...document, generation: generationOf(document.entry) },
    parts: whole,
    spec,
    digest: read === null ? '' : ledgerDigest('container', read),
    contents: NO_CONTENTS,
    problems,
    merged: NOTHING_MERGED,
    own,
    // A port of the host that is open on all addresses would take the check's.
    claims: [{ what: `port ${parts.checkPort}/tcp of the host`, on: CHECK_ADDRESS, path: () => ['check_port'] }],
    last: null,
  }
}

function generationOf(entry: SnapshotEntry): YamlDocument['generation'] {
  return generationAt(entry, ['ingress', 'generation'])
}

/** As an author would write a leaf that does what an ingress does (HAProxy Management Guide, -W, -db, -x). */
function leafKeys(said: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys: Record<string, unknown> = {}
  for (const key of AUTHORS_KEYS) if (said[key] !== undefined) keys[key] = said[key]
  const update = isMapping(said['update']) ? said['update'] : {}
  return {
    ...keys,
    entrypoint: ['haproxy'],
    command: ['-W', '-db', '-f', INGRESS_CONFIG, '-x', INGRESS_SOCKET],
    user: '0',
    network_mode: 'host',
    cap_drop: ['ALL'],
    cap_add: [...INGRESS_CAPABILITIES],
    init: false,
    restart: 'always',
    volumes: [`${INGRESS_VOLUME}:${INGRESS_SOCKETS}`],
    // Its listening sockets are closed at once, its connections end by themselves.
    stop_signal: 'SIGUSR1',
    stop_grace_period: said['drain'] ?? DRAIN,
    update: { ...update, drain: OVERLAP },
  }
}
