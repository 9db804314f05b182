// The options that all commands share: one for each setting, and where settings come from.

import { Option, type Command } from 'commander'

import { SETTING_WORDS, type SettingWords } from '../daemon/setting-words.ts'

/** What a person needs most; the rest is shown by `graft --help`. */
const FIRST: ReadonlySet<string> = new Set(['repo', 'ref', 'path', 'engine', 'state', 'config', 'color'])

const EVERY = 'Options of every command:'
const MORE = 'More settings:'

export function addSharedOptions(program: Command): void {
  const words: Readonly<Record<string, SettingWords>> = SETTING_WORDS
  for (const [key, { flag, value, description }] of Object.entries(words)) {
    const name = flag ?? key.replaceAll('_', '-')
    const flags = value === null ? `--${name}` : `--${name} <${value}${flag === undefined ? '' : '...'}>`
    program.addOption(new Option(flags, description).helpGroup(FIRST.has(key) ? EVERY : MORE))
  }
  const config = new Option(
    '--config <FILE>',
    'Settings file of this host; default: graft.config.yaml in /etc/graft for root, else in $XDG_CONFIG_HOME/graft',
  )
  const colour = new Option('--no-color', 'No colours (as NO_COLOR=1)')
  program.addOption(config.helpGroup(EVERY))
  program.addOption(colour.helpGroup(EVERY))
}

export function isFirst(option: Option): boolean {
  return FIRST.has(option.attributeName())
}
