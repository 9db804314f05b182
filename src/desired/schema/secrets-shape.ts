// `secrets` in deployment.yaml: names, each with where its value comes from (Compose Specification, secrets).

import { posix } from 'node:path'

import * as z from 'zod'

import type { SecretSource } from '../secret-source.ts'
import { report } from './scalar.ts'
import { mapping, record } from './shapes.ts'
import { cut } from './show.ts'
import { repositoryPath, text } from './texts.ts'

/** Names as Compose takes them. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/

const keyPath = z.union([
  text({ expected: 'a key', example: 'database.password', pattern: '.' }).transform((keys) => keys.split('.')),
  z.array(text({ expected: 'a key', example: 'password', pattern: '.' })),
])

const secret = mapping(
  {
    file: repositoryPath('./secrets.sops.yaml')
      .optional()
      .meta({ description: 'A file of the repository that SOPS encrypted for age keys' }),
    key: keyPath.optional().meta({
      description: 'One value in the file, its keys joined by dots, or as a list; left out: the whole file, decrypted',
    }),
    host: text({ expected: 'the name of a file on the host', example: 'database-password', pattern: '.' })
      .optional()
      .meta({ description: "A file below the host's own folder of secrets" }),
  },
  {
    environment: 'write file or host: the environment of whoever runs graft is never read',
    external: 'write host: NAME, for a file below the host’s own folder of secrets',
    name: 'leave it out: no engine keeps the secret',
    driver: 'leave it out: secrets of Docker Swarm are not served',
    driver_opts: 'leave it out: secrets of Docker Swarm are not served',
    template_driver: 'leave it out: secrets of Docker Swarm are not served',
    content: 'what stands in a repository in plain text is no secret: write file or host',
  },
).transform(({ file, key, host }, context): SecretSource => {
  const example = 'write for example file: ./secrets.sops.yaml, or host: database-password'
  if ((file === undefined) === (host === undefined)) {
    const mistake = file === undefined ? 'neither file nor host is there' : 'file and host exclude each other'
    report(context, { mistake, remedy: example }, [], 'value')
  }
  if (host === undefined) return { from: 'repository', file: file ?? '', key: key ?? null }
  if (key !== undefined) report(context, { mistake: 'key belongs to file', remedy: 'leave it out' }, ['key'], 'key')
  const clean = posix.normalize(host)
  if (posix.isAbsolute(host) || clean === '..' || clean.startsWith('../') || clean.endsWith('/') || clean === '.') {
    const mistake = `${cut(host)} is no file below the host's folder of secrets`
    report(context, { mistake, remedy: 'write its name there, for example host: database/password' }, ['host'], 'value')
  }
  return { from: 'host', name: clean }
})

export const secretsKey = record(secret, (name) =>
  NAME.test(name) ? null : { mistake: `"${cut(name)}" is no name`, remedy: 'use letters, digits, and inner . _ -' },
)
