// A person's settings: flags go before GRAFT_* variables, these before the host's settings file, this before defaults.

import { join, resolve } from 'node:path'

import { limitsSchema, limitWords } from '../daemon/limit-settings.ts'
import { settingsSchema, type Settings } from '../daemon/settings.ts'
import { nearest } from '../desired/nearest.ts'
import { isRemoteAddress } from '../repository/address.ts'
import type { Given } from './command.ts'
import { textOf } from './command.ts'
import { Problems } from './mistakes.ts'
import { fromFile, fromFlags, fromVariables, type Sources } from './settings-sources.ts'
import type { Surroundings } from './surroundings.ts'

export type LoadedSettings = Settings & { readonly state: string }

/** Settings that name a file or folder of this host; a relative one starts where it was written. */
const PATHS = [
  'state',
  'git_password_file',
  'git_token_file',
  'git_ssh_key_file',
  'git_known_hosts_file',
  'git_ca_file',
  'verify_keys',
  'signing_key_file',
  'policy',
  'host_variables',
  'secrets',
  'age_key_file',
  'docker_config',
  'webhook_secret_file',
  'forge_token_file',
] as const

/**
 * Throws Problems. The settings file belongs to the host and is never looked for in the current folder, which may be a
 * clone of a repository that would then grant itself what it likes.
 */
export async function loadSettings(flags: Given, surroundings: Surroundings): Promise<LoadedSettings> {
  const { env, cwd } = surroundings
  const file = await readConfig(flags, surroundings)
  const flagged = fromFlags(flags, cwd)
  const sources: Sources = new Map([...file.sources, ...fromVariables(env, cwd), ...flagged.sources])
  const problems = [...file.problems, ...flagged.problems]
  const parsed = settingsSchema.safeParse(Object.fromEntries([...sources].map(([key, { value }]) => [key, value])))
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.filter((part) => typeof part !== 'symbol')
      const key = String(path[0] ?? '')
      const names = key === 'limits' && issue.code === 'unrecognized_keys' ? issue.keys : [String(path[1] ?? '')]
      for (const name of names) {
        const { message, remedy } = key === 'limits' ? wordsOfLimit(name) : words(key)
        const at = key === 'limits' && name !== '' ? [key, name] : path
        const problem = sources.get(key)?.problem(at, message, remedy)
        if (problem !== undefined) problems.push(problem)
      }
    }
  }
  if (problems.length > 0 || !parsed.success) throw new Problems(problems)
  return located(parsed.data, sources, surroundings)
}

async function readConfig(
  flags: Given,
  { env, cwd, home, root }: Surroundings,
): Promise<{ sources: Sources; problems: Problems['problems'] }> {
  const named = textOf(flags, 'config') ?? (env['GRAFT_CONFIG'] || undefined)
  if (named !== undefined) return (await fromFile(resolve(cwd, named), true)) ?? NO_FILE
  const system = '/etc/graft/graft.config.yaml'
  if (root) return (await fromFile(system, false)) ?? NO_FILE
  const own = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'graft', 'graft.config.yaml')
  return (await fromFile(own, false)) ?? (await fromFile(system, false)) ?? NO_FILE
}

const NO_FILE = { sources: new Map(), problems: [] }

function located(settings: Settings, sources: Sources, { cwd, env, home, root }: Surroundings): LoadedSettings {
  const absolute: Partial<Record<(typeof PATHS)[number] | 'repo', string>> = {}
  for (const key of PATHS) {
    const value = settings[key]
    // As a shell would have done it, had the path not come from a file.
    const path = value?.startsWith('~/') === true ? join(home, value.slice(2)) : value
    if (path !== undefined) absolute[key] = resolve(sources.get(key)?.folder ?? cwd, path)
  }
  const verify = withFolder(settings.verify, sources.get('verify')?.folder ?? cwd)
  if (settings.repo !== undefined) {
    const isAddress = isRemoteAddress(settings.repo) || /^file:/i.test(settings.repo)
    absolute.repo = isAddress ? settings.repo : resolve(sources.get('repo')?.folder ?? cwd, settings.repo)
  }
  const usual = root ? '/var/lib/graft' : join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'graft')
  return { ...settings, ...absolute, ...verify, state: absolute.state ?? usual }
}

function withFolder(verify: Settings['verify'], folder: string): Pick<Settings, 'verify'> {
  if (typeof verify !== 'object' || verify.keys === undefined) return {}
  return { verify: { ...verify, keys: resolve(folder, verify.keys) } }
}

function wordsOfLimit(name: string): { message: string; remedy: string } {
  if (name === '') {
    return {
      message: 'limits is a mapping of names and numbers',
      remedy: 'write --set-limit files=100000, or in the file limits: {files: 100000}',
    }
  }
  const known = limitWords(name)
  if (known !== null) return known
  const names = Object.keys(limitsSchema.shape)
  const close = nearest(name, names)
  const remedy = close === null ? `the limits are ${names.join(', ')}` : `did you mean ${close}?`
  return { message: `there is no limit ${name}`, remedy }
}

/** What a value of each setting should be, for one that is not. */
function words(key: string): { message: string; remedy: string } {
  switch (key) {
    case 'parallel':
      return { message: 'parallel is a whole number from 1 to 64', remedy: 'write for example 4' }
    case 'engine_timeout':
      return { message: 'engine_timeout is a whole number of seconds from 1 to 3600', remedy: 'write for example 60' }
    case 'takeover_after':
      return { message: 'takeover_after is a whole number of seconds from 6 to 3600', remedy: 'write for example 60' }
    case 'poll':
      return { message: 'poll is a number of seconds above 0', remedy: 'write for example 15' }
    case 'listen':
      return { message: 'listen is an address and a port', remedy: 'write for example 127.0.0.1:8484' }
    case 'forge':
      return { message: 'forge is one of github, gitlab, gitea, forgejo', remedy: 'write for example gitea' }
    case 'measure':
    case 'allow_privileged':
    case 'forward_only':
      return { message: `${key} is true or false`, remedy: 'write true, or leave it out' }
    case 'verify':
      return {
        message: 'verify is one of head, every, off',
        remedy: 'write for example every, or {mode: every, keys: FILE}',
      }
    case 'log_level':
      return { message: 'log_level is one of debug, info, warn, error', remedy: 'write for example info' }
    case 'mirrors':
      return {
        message: 'a mirror rewrites the beginning of image references',
        remedy:
          'write --mirror quay.io/=registry.local:5000/quay/, or in the file - {from: quay.io/, to: registry.local:5000/quay/}',
      }
    default:
      return {
        message: `${key} is a text that is not empty`,
        remedy: 'write the value in quotes, or leave the setting out',
      }
  }
}
