// A real OpenSSH server on a free port of this machine, for whoever runs the tests: its own host key, its own list of keys
// that may come in, and nothing of the machine's configuration.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../../src/demo/free-port.ts'
import { debianProgram, ensureProgram } from '../../debian-program.ts'

export interface SshServer {
  readonly port: number
  readonly user: string
  /** Files that a client needs: a key that may come in, and this server's own key. */
  readonly keyFile: string
  readonly knownHostsFile: string
  /** Its host's key is another one from now on. */
  renewHostKey(): Promise<void>
  /** What it wrote so far. */
  log(): string
  stop(): Promise<void>
}

/** `folder` is there and holds the files of the server then. `options` are lines of sshd_config(5). */
export async function startSshServer(folder: string, options: readonly string[] = []): Promise<SshServer> {
  await Promise.all(['ssh', 'ssh-keygen', 'ssh-add', 'ssh-agent'].map((name) => ensureProgram(name, 'openssh-client')))
  const { file, env } = await debianProgram('sshd', 'openssh-server')
  const { username } = userInfo()
  const at = (name: string): string => join(folder, name)
  makeKey(at('host_key'))
  makeKey(at('client key 100%'))
  const port = await freePort()
  const knownHostsFile = at('known hosts 100%')
  const writeKnown = (): void => {
    const [type, key] = readFileSync(at('host_key.pub'), 'utf8').split(' ')
    writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${type} ${key}\n[::1]:${port} ${type} ${key}\n`)
  }
  writeFileSync(at('authorized'), readFileSync(`${at('client key 100%')}.pub`))
  // sshd-session and sshd-auth are programs of their own since OpenSSH 9.8.
  const helpers = ['sshd-session', 'sshd-auth'].flatMap((name) => {
    const path = join(file, '../../lib/openssh', name)
    const word = name === 'sshd-session' ? 'SshdSessionPath' : 'SshdAuthPath'
    return existsSync(path) && !file.startsWith('/usr/sbin') ? [`${word} ${path}`] : []
  })
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    'ListenAddress ::1',
    `HostKey ${at('host_key')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'LogLevel VERBOSE',
    `SetEnv PATH="${process.env['PATH'] ?? ''}" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1`,
    ...helpers,
    ...options,
  ]
  writeFileSync(at('sshd_config'), `${lines.join('\n')}\n`)

  let said = ''
  let child: ChildProcess
  async function start(): Promise<void> {
    const command = [file, '-D', '-e', '-f', at('sshd_config')]
    const [program = file, ...args] = userInfo().uid === 0 ? inOwnNamespace(command, folder) : command
    child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
    for (let attempt = 0; !/Server listening on/.test(said); attempt++) {
      if (child.exitCode !== null || attempt > 500) throw new Error(`sshd does not start:\n${said}`)
      await pause(20)
    }
    writeKnown()
  }
  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    signalAll(child, 'SIGKILL')
    await gone
  }
  await start()
  return {
    port,
    user: username,
    keyFile: at('client key 100%'),
    knownHostsFile,
    async renewHostKey() {
      const before = readFileSync(knownHostsFile)
      await stop()
      said = ''
      makeKey(at('host_key'))
      await start()
      writeFileSync(knownHostsFile, before)
    },
    log: () => said,
    stop,
  }
}

/** A new key without a passphrase, in place of an old one. */
export function makeKey(file: string, type = 'ed25519'): void {
  rmSync(file, { force: true })
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'graft', '-f', file], { stdio: 'pipe' })
}

/** As root, sshd wants a user and a folder that its package makes: they are there for it alone. */
function inOwnNamespace(command: readonly string[], folder: string): string[] {
  const users = readFileSync('/etc/passwd', 'utf8')
  const more = /^sshd:/m.test(users) ? '' : 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n'
  writeFileSync(join(folder, 'passwd'), `${users.replace(/\n*$/, '\n')}${more}`)
  const script =
    'mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs -o mode=755 none /run && mkdir -m 755 /run/sshd && shift && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', folder, ...command]
}

/** The server leads a group of its own; what it started for a connection leads others. */
function signalAll(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined) return
  const children = (of: number): number[] => {
    const tasks = existsSync(`/proc/${of}/task/${of}/children`)
      ? readFileSync(`/proc/${of}/task/${of}/children`, 'utf8')
      : ''
    const own = tasks.split(' ').filter(Boolean).map(Number)
    return own.flatMap((one) => [one, ...children(one)])
  }
  for (const one of [pid, ...children(pid)]) {
    try {
      process.kill(one, signal)
    } catch {
      // It is gone already.
    }
  }
}
