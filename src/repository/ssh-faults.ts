// What `ssh` or Git on the other side said before it ended, as a fault in plain words with what follows from it.

import { hostOf } from './address.ts'
import type { PipeEnd } from './pipe.ts'
import type { Service } from './pipe-transport.ts'
import type { SshAccess } from './protocol.ts'
import { RepositoryFault, type RepositoryFaultKind } from './repository.ts'
import { showPath } from './safe-name.ts'
import type { SshAddress } from './ssh-address.ts'

export interface SshPlace {
  /** As the person wrote it. */
  readonly url: string
  readonly address: SshAddress
  readonly access: SshAccess
}

/** The exit code of ssh's own faults; others are those of the program on the other side. ssh(1), "EXIT STATUS". */
const SSH_FAILED = 255

export function sshFault(place: SshPlace, service: Service, end: PipeEnd): RepositoryFault {
  if (end.missing) {
    return new RepositoryFault(
      'unsupported',
      'the program ssh is not there, and graft reaches repositories behind SSH with it',
      'Install it (openssh-client), or use the https address of the repository',
    )
  }
  if (end.silent) return new RepositoryFault('timeout', ...silence(place))
  const own = end.code === SSH_FAILED || end.code === null ? connectionFault(place, end.words) : null
  return own ?? serverFault(place, service, end)
}

/** Where the answer is no Git: mostly a shell that prints something first. */
export function nonsenseFault({ url }: SshPlace, said: string): RepositoryFault {
  const host = hostOf(url)
  return new RepositoryFault(
    'server',
    `${host} did not answer as Git expects: it says “${plain(said)}”`,
    'Where that comes from a shell, keep its start-up files (.bashrc) silent',
  )
}

interface Meaning {
  readonly said: RegExp
  readonly kind: RepositoryFaultKind
  /** What happened and what to do; `told` is what the expression's first group found, in one line. */
  readonly words: (place: SshPlace, told: string) => readonly [message: string, remedy: string]
}

/** What ssh says of a connection that fails; the first that fits counts, as later lines say less. */
const MEANINGS: readonly Meaning[] = [
  {
    said: /(?:IDENTIFICATION HAS CHANGED[^]*?(SHA256:[\w+/]+))|host key for .* has changed/i,
    kind: 'auth',
    words(place, print) {
      const { known, named, host } = namesOf(place)
      const now = print === '' ? '' : ` (now ${print})`
      return [
        `the host key of ${host} is another one than ${known} says${now}: the server was set up anew, or somebody is in between`,
        `Ask who runs it; if the new key is right, take the old one out with ssh-keygen -f ${known} -R '${named}' and add the new one`,
      ]
    },
  },
  {
    said: /host key verification failed|no .* host key is known|host key .* revoked/i,
    kind: 'auth',
    words(place) {
      const { known, host } = namesOf(place)
      const { address } = place
      const port = address.port === null ? '' : `-p ${address.port} `
      return [
        `the host key of ${host} is not known, and graft speaks to no server that it does not know`,
        `Add it to ${known}: ssh-keyscan ${port}${address.host} gives it; compare its fingerprint with what the server's owner publishes`,
      ]
    },
  },
  {
    said: /UNPROTECTED PRIVATE KEY|bad permissions/i,
    kind: 'auth',
    words(place) {
      const { key } = namesOf(place)
      return [`ssh does not use ${key}, because others may read it`, `chmod 600 ${key}`]
    },
  },
  {
    said: /Load key "[^"]*": (.+)/,
    kind: 'auth',
    words: (place, why) => [
      `ssh cannot read ${namesOf(place).key} as a private key: ${why}`,
      'Name the file of the private key, as ssh-keygen wrote it',
    ],
  },
  {
    said: /permission denied|too many authentication failures/i,
    kind: 'auth',
    words(place) {
      const { host, key } = namesOf(place)
      const { user } = place.address
      const who = user === null ? '' : ` for ${user}`
      if (place.access.keyFile === null) {
        return [
          `${host} takes none of the keys here${who}`,
          'Name a key with git_ssh_key_file, and register its public half on the server',
        ]
      }
      return [
        `${host} does not take the key ${key}${who}`,
        'Register its public half on the server; a key with a passphrase works only through an agent (SSH_AUTH_SOCK)',
      ]
    },
  },
  {
    said: /could not resolve hostname/i,
    kind: 'unreachable',
    words: ({ url }) => [
      `${hostOf(url)} cannot be reached: its name does not resolve`,
      'Look at the address and the network',
    ],
  },
  { said: /timed out|timeout, server/i, kind: 'timeout', words: silence },
  {
    said: /(connection refused|no route to host|network is unreachable|host is down)/i,
    kind: 'unreachable',
    words: ({ url }, why) => [
      `${hostOf(url)} cannot be reached: ${why.toLowerCase()}`,
      'Look at the address, its port and the network',
    ],
  },
  {
    said: /unable to negotiate with .*?: (.+)/i,
    kind: 'unsupported',
    words: ({ url }, why) => [
      `${hostOf(url)} and ssh have no way to talk in common: ${why}`,
      'Renew the server, or allow its algorithm in the ssh configuration of this host',
    ],
  },
  {
    said: /connection (closed|reset)|broken pipe|kex_exchange_identification|connection to .* closed/i,
    kind: 'unreachable',
    words: ({ url }) => [`${hostOf(url)} closed the connection`, 'Look at the server if this lasts'],
  },
]

function connectionFault(place: SshPlace, said: string): RepositoryFault | null {
  for (const meaning of MEANINGS) {
    const found = meaning.said.exec(said)
    if (found === null) continue
    const [message, remedy] = meaning.words(place, plain(found[1] ?? ''))
    return new RepositoryFault(meaning.kind, message, remedy)
  }
  return null
}

function silence({ url }: SshPlace): readonly [string, string] {
  return [`${hostOf(url)} does not answer`, 'Look at the server and the way to it']
}

/** How a person would name what is meant. */
function namesOf({ url, address, access }: SshPlace): { host: string; named: string; known: string; key: string } {
  return {
    host: hostOf(url),
    // As it stands in a file of known hosts. sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
    named: address.port === null ? address.host : `[${address.host}]:${address.port}`,
    known: access.knownHostsFile ?? '~/.ssh/known_hosts',
    key: access.keyFile ?? 'the key',
  }
}

function serverFault({ url, access }: SshPlace, service: Service, end: PipeEnd): RepositoryFault {
  const host = hostOf(url)
  const words = plain(end.words)
  if (end.code === 127 || /command not found|git-\S+: not found/i.test(end.words)) {
    return new RepositoryFault('server', `${host} has no Git: ${words}`, 'Install git there')
  }
  const who = access.keyFile === null ? 'this key' : `the key ${access.keyFile}`
  const missing =
    /not appear to be a git repository|not (be )?found|no such (file|repo|project)|(does not|doesn.t) exist/i
  if (missing.test(end.words)) {
    return new RepositoryFault(
      'not-found',
      `there is no repository at ${url}, or ${who} may not see it: ${words}`,
      'Correct the address, or give the key access',
    )
  }
  if (/denied|not allowed|read.?only|forbidden|unauthori[sz]ed|not permitted/i.test(end.words)) {
    return service === 'git-receive-pack'
      ? new RepositoryFault(
          'refused',
          `${host} lets ${who} not push to ${url}: ${words}`,
          'Give it the right to write, or commit and push with git',
        )
      : new RepositoryFault('auth', `${host} lets ${who} not read ${url}: ${words}`, 'Give it access to the repository')
  }
  const said = words === '' ? 'it said nothing' : words
  const how = end.code === null ? 'it was ended' : `exit code ${end.code}`
  return new RepositoryFault('server', `${host} broke off (${how}): ${said}`, 'Look at the server if this lasts')
}

/** The last lines that say something, in one. */
function plain(words: string): string {
  const lines = words.split(/[\r\n]+/).map((line) => line.replace(/^((remote|fatal|error):\s*)+/i, '').trim())
  // Hosting services draw frames around what they say.
  const told = lines.filter((line) => !/^[=*@#\s-]*$/.test(line) && !line.startsWith('**'))
  return showPath(told.slice(-4).join('; ')).slice(0, 300)
}
