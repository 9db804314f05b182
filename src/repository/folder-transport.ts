// A repository on this host as a remote one: the system's `git` stands for the server, so that the hooks and the rules of
// that repository count as they do for `git push`.

import type { Transport } from './http-transport.ts'
import type { RepositoryLimits } from './limits.ts'
import { openPipeTransport } from './pipe-transport.ts'
import { RepositoryFault } from './repository.ts'

/** `folder` is absolute. */
export function openFolderTransport(
  folder: string,
  limits: Pick<RepositoryLimits, 'idleMs' | 'responseBytes'>,
): Transport {
  return openPipeTransport({
    ...limits,
    program: (service, protocol) => ({
      file: 'git',
      args: [service.slice('git-'.length), folder],
      env: environment(protocol),
    }),
    fault(_service, { missing, silent, code, words }) {
      if (missing) {
        return new RepositoryFault(
          'unsupported',
          'the program git is not there, and only it may write to a folder',
          'Install git',
        )
      }
      if (silent)
        return new RepositoryFault('timeout', `Git does not answer in ${folder}`, 'Look for a hook that hangs')
      const said = words.trim().split('\n').slice(-3).join('; ').slice(0, 300)
      const isThere = !/not appear to be a git repository/i.test(words)
      return new RepositoryFault(
        isThere ? 'server' : 'not-found',
        isThere ? `Git broke off in ${folder} (exit code ${code}): ${said}` : `${folder} is no Git repository`,
        isThere ? 'Look at the repository with git fsck' : 'Correct the address of the remote',
      )
    },
    nonsense: (said) => new RepositoryFault('server', `Git in ${folder} says “${said}”`, 'Look at the repository'),
  })
}

function environment(protocol: string | null): Record<string, string> {
  const kept = ['PATH', 'HOME', 'USER', 'LOGNAME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...(protocol === null ? {} : { GIT_PROTOCOL: protocol }) }
}
