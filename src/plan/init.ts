// Whether an image's entry point is itself an init that reaps, so that the engine needs to put none before it. Pure.

import type { Spec } from '../desired/spec.ts'

const INITS = new Set([
  'tini',
  'tini-static',
  'dumb-init',
  'docker-init',
  'catatonit',
  's6-svscan',
  's6-overlay',
  'init',
  'my_init',
  'systemd',
  'runit',
  'runsvdir',
  'supervisord-init',
])

/** Resolves `auto`: the spec's own entry point decides, else the image's, else its command. */
export function wantsInit(
  spec: Pick<Spec, 'init' | 'entrypoint' | 'command'>,
  image: { readonly entrypoint: readonly string[]; readonly command: readonly string[] },
): boolean {
  if (spec.init !== 'auto') return spec.init
  const entrypoint = spec.entrypoint ?? image.entrypoint
  const command = spec.command ?? (spec.entrypoint === undefined ? image.command : [])
  const first = entrypoint[0] ?? command[0] ?? ''
  return !INITS.has(first.slice(first.lastIndexOf('/') + 1))
}
