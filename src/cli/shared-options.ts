// The options that all commands share: one for each setting, and where settings come from.

import { Option, type Command } from 'commander'

import { settingsSchema } from '../daemon/settings.ts'

const VALUES: Readonly<Record<string, string>> = {
  repo: 'URL|FOLDER',
  ref: 'BRANCH|TAG|COMMIT',
  path: 'FOLDER',
  engine: 'URL',
  state: 'FOLDER',
  git_username: 'NAME',
  git_password_file: 'FILE',
  git_token_file: 'FILE',
  git_ca_file: 'FILE',
  policy: 'FILE',
  host_variables: 'FILE',
  docker_config: 'FOLDER',
  probe_image: 'IMAGE',
  parallel: 'NUMBER',
  poll: 'SECONDS',
  log_level: 'LEVEL',
}

/** What a person needs most; the rest is shown by `graft --help`. */
const FIRST: ReadonlySet<string> = new Set(['repo', 'ref', 'path', 'engine', 'state', 'config', 'color'])

export function addSharedOptions(program: Command): void {
  for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    const name = key.replaceAll('_', '-')
    const description = schema.description ?? ''
    const group = FIRST.has(key) ? 'Options of every command:' : 'More settings:'
    const option =
      key === 'mirrors'
        ? new Option('--mirror <FROM=TO...>', description)
        : key === 'allow_privileged'
          ? new Option(`--${name}`, description)
          : new Option(`--${name} <${VALUES[key] ?? 'VALUE'}>`, description)
    program.addOption(option.helpGroup(group))
  }
  const config = new Option(
    '--config <FILE>',
    'Settings file of this host; default: graft.config.yaml in /etc/graft for root, else in $XDG_CONFIG_HOME/graft',
  )
  const colour = new Option('--no-color', 'No colours (as NO_COLOR=1)')
  program.addOption(config.helpGroup('Options of every command:'))
  program.addOption(colour.helpGroup('Options of every command:'))
}

export function isFirst(option: Option): boolean {
  return FIRST.has(option.attributeName())
}
