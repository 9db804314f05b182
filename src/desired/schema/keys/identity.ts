// What runs, as whom and with which words: image, command, environment, labels, names.

import * as z from 'zod'
import { domainName } from '../addresses.ts'
import { refused, served } from '../service-key.ts'
import { mapping, pairs } from '../shapes.ts'
import { absolutePath, boolean, choice, repositoryPath, text } from '../texts.ts'
import { scalar } from '../scalar.ts'
import { image } from './image.ts'
import { secretVariable } from './secrets.ts'
import { commandLine } from './words.ts'

const RESERVED_LABELS = 'dev.graft.'

const environmentName = (name: string) =>
  /^[^=\s]+$/.test(name) ? null : { mistake: `"${name}" is no name of a variable`, remedy: 'write NAME: value' }

const labelName = (name: string) =>
  name.startsWith(RESERVED_LABELS)
    ? { mistake: `labels under ${RESERVED_LABELS} are graft's own`, remedy: 'choose a name of your own' }
    : null

const userText = scalar<string>({
  types: ['string', 'number'],
  expected: 'a user, as USER[:GROUP]',
  example: '"1000:1000"',
  json: { type: ['string', 'integer'], pattern: '^[^: ]+(:[^: ]+)?$', minimum: 0 },
  read: (value) => {
    const right =
      typeof value === 'number'
        ? Number.isSafeInteger(value) && value >= 0
        : /^[^:\s]+(?::[^:\s]+)?$/.test(String(value))
    return right ? { value: String(value) } : null
  },
})

const envFileLine = mapping({
  path: repositoryPath('./common.env').meta({ description: 'File in the repository' }),
  required: boolean().optional().meta({ description: 'false: nothing is wrong where the file is missing' }),
  format: choice(['raw']).optional().meta({ description: 'raw: values are taken as they are' }),
}).transform(({ path, required, format }) => ({
  path,
  required: required ?? true,
  ...(format === undefined ? {} : { format }),
}))
const envFileText = repositoryPath('./common.env').transform((path) => ({ path, required: true }))

export const identityKeys = {
  image: served('The image, with its tag or digest', image, 'quay.io/openstack.kolla/nova-api:2025.1-ubuntu-noble'),
  platform: served(
    'The platform to pull the image for, as OS[/ARCHITECTURE[/VARIANT]]',
    text({
      expected: 'a platform, as OS[/ARCHITECTURE[/VARIANT]]',
      example: 'linux/amd64',
      pattern: '^[a-z0-9_.-]+(/[a-z0-9_.-]+){0,2}$',
    }),
    'linux/amd64',
  ),
  command: served("Replaces the image's command", commandLine('nova-api --debug'), ['nova-api', '--debug'], 'sleep 60'),
  entrypoint: served("Replaces the image's entry point", commandLine('/usr/bin/run'), ['/usr/bin/run']),
  environment: served(
    'Environment variables of the container',
    pairs({
      bare: {
        mistake: 'has no value, and the environment of whoever runs graft is never read',
        remedy: 'write NAME: ${NAME} and list NAME under host_variables in deployment.yaml, or give it a value',
      },
      checkName: environmentName,
      special: secretVariable,
    }),
    { DEBUG: 'false' },
    ['DEBUG=false'],
    { PASSWORD: { secret: 'database-password' } },
  ),
  env_file: served(
    'Files in the repository with environment variables; environment wins over them',
    z.union([envFileText.transform((one) => [one]), z.array(z.union([envFileText, envFileLine]))]),
    './common.env',
    [{ path: './local.env', required: false }],
  ),
  user: served("The user the command runs as, instead of the image's", userText, '1000:1000'),
  working_dir: served("The command's working directory", absolutePath('/srv'), '/srv'),
  hostname: served("The container's host name", domainName('broker'), 'broker'),
  domainname: served("The container's NIS domain name", domainName('example.org'), 'example.org'),
  labels: served('Labels of the container', pairs({ bare: '', checkName: labelName }), { team: 'storage' }),
  annotations: served('OCI annotations of the container', pairs({ bare: '' }), { 'org.example/key': 'value' }),
  tty: served('Whether the container has a terminal', boolean(), false),
  stdin_open: served('Whether standard input is kept open', boolean(), false),
  container_name: refused("leave it out: the file's name is the container's name"),
  build: refused('build the image elsewhere, push it to a registry and name it under image'),
  label_file: refused('write the labels under labels'),
  extends: refused('write common keys once, under defaults in a set.yaml above the leaves'),
  profiles: refused('write state: stopped in the set.yaml, or keep the leaf on a branch of its own'),
}
