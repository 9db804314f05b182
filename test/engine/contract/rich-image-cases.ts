// Field cases: an image that declares values of its own, with which a spec's are merged.

import type { ImageFacts } from '../../../src/plan/observed.ts'
import type { FieldCase } from './field-case.ts'

/** Cases for an image that has something to say of itself; see `RICH_IMAGE_FACTS`. */
export const RICH_CASES: readonly FieldCase[] = [
  { about: 'nothing set', set: {}, changes: [], reaches: {} },
  { about: 'own command', set: { command: ['sleep', '901'] }, changes: ['command'], reaches: {} },
  { about: 'no command', set: { command: [] }, changes: ['command'], neverStarted: true, reaches: {} },
  {
    about: 'own entry point',
    set: { entrypoint: ['/bin/busybox', 'sleep', '902'] },
    changes: ['command', 'entrypoint'],
    reaches: {},
  },
  {
    about: 'no entry point',
    set: { entrypoint: [], command: ['sleep', '903'] },
    changes: ['command', 'entrypoint'],
    reaches: {},
  },
  {
    about: 'environment over the image',
    set: { environment: { IMAGE: 'mine' } },
    changes: ['environment.IMAGE'],
    reaches: {},
  },
  {
    about: 'label over the image',
    set: { labels: { 'org.example.image': 'mine' } },
    changes: ['labels.org.example.image'],
    reaches: {},
  },
  { about: 'another user', set: { user: '0' }, changes: ['user'], reaches: {} },
  { about: 'another folder', set: { working_dir: '/' }, changes: ['working_dir'], reaches: {} },
  { about: 'another signal', set: { stop_signal: 'SIGUSR2' }, changes: ['stop_signal'], reaches: {} },
  {
    about: 'other timings of its check',
    set: { healthcheck: { interval: 9000 } },
    changes: ['healthcheck.interval'],
    reaches: {},
  },
  {
    about: 'its check switched off',
    set: { healthcheck: { disable: true } },
    changes: ['healthcheck.disable', 'healthcheck.interval', 'healthcheck.retries', 'healthcheck.test'],
    reaches: {},
  },
  {
    about: 'its volume mounted',
    set: { mounts: [{ type: 'volume', source: 'data', target: '/var/lib/rich', read_only: false }] },
    changes: ['volumes./var/lib/rich'],
    reaches: {},
  },
]

/** What an image must declare for `RICH_CASES`. */
export const RICH_IMAGE_FACTS: Omit<ImageFacts, 'id' | 'digests'> = {
  environment: { PATH: '/bin', IMAGE: 'yes' },
  command: ['1000'],
  entrypoint: ['/bin/busybox', 'sleep'],
  user: '1000',
  working_dir: '/tmp',
  labels: { 'org.example.image': 'rich' },
  expose: ['8080/tcp'],
  volumes: ['/var/lib/rich'],
  stop_signal: 'SIGINT',
  healthcheck: { test: ['CMD', 'true'], interval: 7000, retries: 2 },
}
