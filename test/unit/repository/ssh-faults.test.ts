// What ssh and the hosting services say when something is wrong, in graft's words. The texts are theirs.

import { expect, it } from 'vitest'
import { nonsenseFault, sshFault, type SshPlace } from '../../../src/repository/ssh-faults.ts'

const place: SshPlace = {
  url: 'git@git.example:ops/site.git',
  address: { user: 'git', host: 'git.example', port: null, path: 'ops/site.git' },
  access: { keyFile: '/etc/graft/key', knownHostsFile: null },
}
const end = (code: number | null, words: string) => ({ code, words, missing: false, silent: false })

it.each([
  [255, 'ssh: connect to host git.example port 22: No route to host', 'unreachable', 'no route to host'],
  [255, 'ssh: connect to host git.example port 22: Connection timed out', 'timeout', 'does not answer'],
  [255, 'Connection timed out during banner exchange', 'timeout', 'does not answer'],
  [255, 'Timeout, server git.example not responding.', 'timeout', 'does not answer'],
  [255, 'kex_exchange_identification: Connection closed by remote host', 'unreachable', 'closed the connection'],
  [
    255,
    'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa',
    'unsupported',
    'no matching host key type found. Their offer: ssh-rsa',
  ],
  [
    255,
    'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures',
    'auth',
    'does not take the key',
  ],
  [255, 'No user exists for uid 1234', 'server', 'exit code 255): No user exists for uid 1234'],
  [127, 'sh: 1: git-upload-pack: not found', 'server', 'has no Git'],
  [null, '', 'server', 'it was ended): it said nothing'],
  // GitHub
  [
    1,
    'ERROR: Repository not found.\nfatal: Could not read from remote repository.',
    'not-found',
    'Repository not found',
  ],
  [128, 'ERROR: Permission to ops/site.git denied to deploy key', 'auth', 'denied to deploy key'],
  // GitLab
  [
    1,
    "remote: \nremote: ========================================================================\nremote: \nremote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\nremote: \nremote: ========================================================================\nremote: ",
    'not-found',
    'site.git, or the key /etc/graft/key may not see it: The project you were looking for could not be found',
  ],
  // Gitea and Forgejo
  [1, 'Gitea: Unauthorized\nUser: 1:deploy is not allowed to read', 'auth', 'Unauthorized'],
])('exit code %s and “%s” is %s', (code, words, kind, message) => {
  expect(sshFault(place, 'git-upload-pack', end(code, words))).toMatchObject({
    kind,
    message: expect.stringContaining(message),
  })
})

it('of a push, the same words mean that writing is not allowed', () => {
  const words = 'ERROR: Permission to ops/site.git denied to deploy key'
  expect(sshFault(place, 'git-receive-pack', end(128, words))).toMatchObject({ kind: 'refused' })
})

it('names the files that the person has to look at', () => {
  const unknown = sshFault(place, 'git-upload-pack', end(255, 'Host key verification failed.'))
  expect(unknown.remedy).toContain('Add it to ~/.ssh/known_hosts: ssh-keyscan git.example')
  const changed =
    '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nThe fingerprint is\nSHA256:abc+/1.\nPlease contact'
  const own = { ...place, access: { ...place.access, knownHostsFile: '/etc/graft/known' } }
  const fault = sshFault({ ...own, address: { ...place.address, port: 2222 } }, 'git-upload-pack', end(255, changed))
  expect(fault.message).toContain('than /etc/graft/known says (now SHA256:abc+/1)')
  expect(fault.remedy).toContain("ssh-keygen -f /etc/graft/known -R '[git.example]:2222'")
})

it('shows no control characters and not everything', () => {
  const fault = nonsenseFault(place, `\u001b[2J${'x'.repeat(1000)}`)
  expect(fault.message).toContain('\\x1b[2J')
  expect(fault.message.length).toBeLessThan(500)
})
