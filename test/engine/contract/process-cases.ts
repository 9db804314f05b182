// Field cases: what runs in a container, and how it is watched.

import type { FieldCase } from './field-case.ts'

export const PROCESS_CASES = {
  image: [
    { set: { image: 'graft-test/other:1' }, changes: ['image'], reaches: { 'Config.Image': 'graft-test/other:1' } },
  ],
  // The engine refuses another platform than the image's; it does not tell back what was asked.
  platform: [{ set: { platform: 'linux/amd64' }, changes: [], reaches: { Platform: 'linux' } }],
  command: [
    {
      set: { command: ['sh', '-c', 'sleep 900'] },
      changes: ['command'],
      reaches: { 'Config.Cmd': ['sh', '-c', 'sleep 900'] },
    },
  ],
  entrypoint: [
    {
      set: { entrypoint: ['/bin/busybox'] },
      changes: ['entrypoint'],
      reaches: { 'Config.Entrypoint': ['/bin/busybox'], 'Config.Cmd': ['sleep', '1000'] },
    },
    { about: 'empty', set: { entrypoint: [] }, changes: [], reaches: { 'Config.Entrypoint': null } },
  ],
  environment: [
    {
      set: { environment: { A: '1', EMPTY: '', EQUALS: 'a=b' } },
      changes: ['environment.A', 'environment.EMPTY', 'environment.EQUALS'],
      reaches: { 'Config.Env~': ['A=1', 'EMPTY=', 'EQUALS=a=b'] },
    },
    {
      about: 'another value',
      base: { environment: { A: '1', B: '2' } },
      set: { environment: { A: '3', B: '2' } },
      changes: ['environment.A'],
      reaches: { 'Config.Env~': ['A=3', 'B=2'] },
    },
  ],
  labels: [
    {
      set: { labels: { 'org.example.owner': 'me' } },
      changes: ['labels.org.example.owner'],
      reaches: { 'Config.Labels.org\\.example\\.owner': 'me' },
    },
  ],
  annotations: [
    {
      set: { annotations: { 'org.example.note': 'x' } },
      changes: ['annotations.org.example.note'],
      api: '1.43',
      reaches: { 'HostConfig.Annotations': { 'org.example.note': 'x' } },
    },
  ],
  user: [{ set: { user: '1000:1000' }, changes: ['user'], reaches: { 'Config.User': '1000:1000' } }],
  working_dir: [{ set: { working_dir: '/tmp' }, changes: ['working_dir'], reaches: { 'Config.WorkingDir': '/tmp' } }],
  hostname: [{ set: { hostname: 'somehost' }, changes: ['hostname'], reaches: { 'Config.Hostname': 'somehost' } }],
  domainname: [
    { set: { domainname: 'example.org' }, changes: ['domainname'], reaches: { 'Config.Domainname': 'example.org' } },
  ],
  init: [
    { set: { init: false }, changes: ['init'], reaches: { 'HostConfig.Init': false } },
    { about: 'said aloud', set: { init: true }, changes: [], reaches: { 'HostConfig.Init': true } },
  ],
  tty: [{ set: { tty: true }, changes: ['tty'], reaches: { 'Config.Tty': true } }],
  stdin_open: [{ set: { stdin_open: true }, changes: ['stdin_open'], reaches: { 'Config.OpenStdin': true } }],
  files: [
    {
      set: { files: { '/etc/sample.conf': { sha256: 'a'.repeat(64), mode: 0o440, uid: 7, gid: 8 } } },
      changes: ['files'],
      reaches: {},
    },
  ],
  secrets: [
    {
      about: 'as a file',
      set: {
        secrets: {
          files: { '/run/secrets/one': { content: 'host:one', mode: 0o400, uid: 7, gid: 8 } },
          environment: {},
        },
      },
      changes: ['secrets./run/secrets/one'],
      reaches: { 'Config.Labels.dev\\.graft\\.secrets~': ['/run/secrets/one'] },
    },
    {
      about: 'as a file of a read-only container',
      base: { read_only: true },
      set: {
        secrets: {
          files: { '/run/secrets/one': { content: 'host:one', mode: 0o400, uid: 7, gid: 8 } },
          environment: {},
        },
      },
      changes: ['secrets./run/secrets/one'],
      reaches: { 'HostConfig.Mounts': [{ Type: 'volume', Target: '/run/secrets' }] },
    },
    {
      about: 'as a variable',
      set: { secrets: { files: {}, environment: { PASSWORD: 'host:one' } } },
      changes: ['environment.PASSWORD'],
      reaches: { 'Config.Env~': ['PASSWORD=the value of host:one'] },
    },
  ],
  healthcheck: [
    {
      set: {
        healthcheck: { test: ['CMD', 'true'], interval: 5000, timeout: 1500, start_period: 2000, retries: 4 },
      },
      changes: [
        'healthcheck.interval',
        'healthcheck.retries',
        'healthcheck.start_period',
        'healthcheck.test',
        'healthcheck.timeout',
      ],
      reaches: {
        'Config.Healthcheck~': { Test: ['CMD', 'true'], Interval: 5e9, Timeout: 1.5e9, StartPeriod: 2e9, Retries: 4 },
      },
    },
    {
      about: 'start interval',
      base: { healthcheck: { test: ['CMD', 'true'] } },
      set: { healthcheck: { test: ['CMD', 'true'], start_interval: 500 } },
      changes: ['healthcheck.start_interval'],
      api: '1.44',
      reaches: { 'Config.Healthcheck.StartInterval': 5e8 },
    },
    {
      about: 'switched off',
      set: { healthcheck: { disable: true } },
      changes: ['healthcheck.disable'],
      reaches: { 'Config.Healthcheck.Test': ['NONE'] },
    },
  ],
  // In force only while it is live: the label remembers what was authored.
  restart: [
    {
      set: { restart: 'on-failure:3' },
      changes: ['restart'],
      reaches: { 'HostConfig.RestartPolicy.Name': 'no', 'Config.Labels.dev\\.graft\\.restart': 'on-failure:3' },
    },
  ],
  stop_signal: [
    { set: { stop_signal: 'SIGUSR1' }, changes: ['stop_signal'], reaches: { 'Config.StopSignal': 'SIGUSR1' } },
  ],
  stop_grace_period: [
    { set: { stop_grace_period: 2500 }, changes: ['stop_grace_period'], reaches: { 'Config.StopTimeout': 3 } },
  ],
  logging: [
    {
      about: 'driver',
      set: { logging: { driver: 'none', options: {} } },
      changes: ['logging.driver', 'logging.options.max-file', 'logging.options.max-size'],
      reaches: { 'HostConfig.LogConfig': { Type: 'none', Config: {} } },
    },
    {
      about: 'option',
      set: { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '1m' } } },
      changes: ['logging.options.max-size'],
      reaches: { 'HostConfig.LogConfig.Config~': { 'max-size': '1m' } },
    },
  ],
} satisfies Readonly<Record<string, readonly FieldCase[]>>
