// An apt configuration of our own for another Debian suite: its lists, caches and sources lie in a folder, so that
// /etc/apt and /var/lib/apt stay as they are and nobody needs to be root.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GroundFault } from './ground-fault.ts'
import { exists } from './paths.ts'
import { runCommand } from './run-command.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const defaultMirror = 'http://deb.debian.org/debian'

/**
 * Makes the configuration in `folder` and loads the suite's package lists. Resolves to the arguments that make
 * apt-get and apt-cache use it. `unpackKeyring` resolves to a root folder with Debian's keyring in it, for hosts
 * that are not Debian. Throws GroundFault.
 */
export async function preparePrivateApt(
  suite: string,
  folder: string,
  unpackKeyring: () => Promise<string>,
): Promise<readonly string[]> {
  const signedBy = (await exists(keyring)) ? keyring : join(await unpackKeyring(), keyring)
  const mirror = await debianMirror()
  const sources = join(folder, 'debian.sources')
  const configuration = join(folder, 'apt.conf')
  await mkdir(join(folder, 'state', 'lists', 'partial'), { recursive: true })
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true })
  await writeFile(sources, `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\nSigned-By: ${signedBy}\n`)
  // The host's hooks after an update act on the host's own lists, so they are cleared. Its proxy settings stay.
  await writeFile(
    configuration,
    [
      `Dir::Etc::sourcelist "${sources}";`,
      'Dir::Etc::sourceparts "/dev/null";',
      'Dir::Etc::preferences "/dev/null";',
      'Dir::Etc::preferencesparts "/dev/null";',
      `Dir::State "${join(folder, 'state')}";`,
      `Dir::Cache "${join(folder, 'cache')}";`,
      'Acquire::Languages "none";',
      'Acquire::PDiffs "false";',
      'APT::Default-Release "";',
      'APT::Sandbox::User "root";',
      '#clear APT::Update::Pre-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      '#clear Acquire::IndexTargets::deb::DEP-11;',
      '#clear Acquire::IndexTargets::deb::DEP-11-icons;',
      '#clear Acquire::IndexTargets::deb::DEP-11-icons-small;',
      '#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;',
      '#clear Acquire::IndexTargets::deb::Contents-deb;',
      '',
    ].join('\n'),
  )
  const args = ['-c', configuration]
  const update = await runCommand('apt-get', [...args, '-o', 'APT::Update::Error-Mode=any', 'update'])
  if (update.code !== 0)
    throw new GroundFault(
      `The package lists of Debian ${suite} could not be loaded from ${mirror}: ${lastLine(update.stderr)}`,
      'Check that this machine reaches a Debian mirror (a proxy is set with Acquire::http::Proxy in /etc/apt/apt.conf.d), then try again.',
    )
  return args
}

/** The mirror the host itself uses for Debian; the public one where it uses none. */
async function debianMirror(): Promise<string> {
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)'
  const targets = await runCommand('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  for (const line of targets.stdout.split('\n')) {
    const [origin, label, uri] = line.split('|')
    if (origin === 'Debian' && label === 'Debian' && uri !== undefined && /^(https?|file|copy):/.test(uri))
      return uri.replace(/\/+$/, '')
  }
  return defaultMirror
}

/** The last thing apt complained about, without its `E: `. */
export function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => line.startsWith('E: '))
  return (errors.at(0) ?? lines.at(-1) ?? 'no message').replace(/^[EW]: /, '').trim()
}
