// One policy, one judgement: validate, plan --offline and the comment of a pull request say the same of a leaf.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeEach, describe, expect, it } from 'vitest'

import { runCommandLine } from '../../../src/cli/program.ts'
import { fakeSurroundings, temporaryFolder } from './fake-surroundings.ts'

let folder: string
let state: string
let policy: string

async function graft(...args: string[]) {
  const surroundings = fakeSurroundings({ cwd: folder, env: { GRAFT_STATE: state } })
  const code = await runCommandLine(args, surroundings, '0')
  // As a forge shows what Markdown hides.
  const said = `${surroundings.out()}${surroundings.err()}`
    .replaceAll(/&#(\d+);/g, (_, sign: string) => String.fromCodePoint(Number(sign)))
    .replaceAll(/\\([^A-Za-z0-9\s])/g, '$1')
  return { code, said: said.replaceAll(/\s+/g, ' ') }
}

const POLICY = `format: 1
grants:
  - {paths: [api], binds: [{source: /srv/**}]}
rules:
  - paths: ["**"]
    images: [quay.io/team/*]
`

beforeEach(() => {
  folder = temporaryFolder()
  state = join(temporaryFolder(), 'state')
  policy = join(temporaryFolder(), 'policy.yaml')
  writeFileSync(policy, POLICY)
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' })
  git('init', '-b', 'main')
  writeFileSync(join(folder, 'deployment.yaml'), 'format: 1\nname: shop\n')
  writeFileSync(join(folder, 'api.yaml'), 'generation: 1\nimage: quay.io/team/api:1\nvolumes: ["/srv/api:/data"]\n')
  git('add', '-A')
  git('-c', 'user.name=Ada', '-c', 'user.email=a@example.org', 'commit', '-m', 'First')
  writeFileSync(join(folder, 'web.yaml'), 'generation: 1\nimage: nginx:1\npid: host\n')
  git('add', '-A')
  git('-c', 'user.name=Ada', '-c', 'user.email=a@example.org', 'commit', '-m', 'Second')
})

/** What is said of `web` by whoever looks. */
function expectRefusal(said: string, place: string): void {
  expect(said).toContain('asks for pid: host')
  expect(said).toContain(`web is refused by rule 1 at ${place}:5: image: nginx:1`)
}

const commands: [string, ...string[]][] = [
  ['validate'],
  ['validate', '--worktree'],
  ['plan', '--offline'],
  ['plan', '--offline', '--markdown'],
]

describe.each(commands)('graft %s %s %s', (...command) => {
  it('judges by the policy that is named', async () => {
    const { code, said } = await graft(...command.filter(Boolean), '--policy', policy)
    expectRefusal(said, policy)
    expect(said).toContain('{paths: [web], host_namespaces: [pid]}')
    expect(said).not.toContain('api asks for')
    expect(code).toBe(1)
  })

  it("judges by the host's own policy where nothing is named", async () => {
    mkdirSync(state, { recursive: true })
    const own = join(state, 'policy.yaml')
    writeFileSync(own, POLICY)
    const { code, said } = await graft(...command.filter(Boolean))
    expectRefusal(said, own)
    expect(code).toBe(1)
  })

  it('says so of a policy that does not read, with its place', async () => {
    writeFileSync(policy, 'format: 1\nrule: []\n')
    const { code, said } = await graft(...command.filter(Boolean), '--policy', policy)
    expect(said).toContain('the policy has no key rule here')
    expect(said).toContain(`${policy}:2:1`)
    expect(code).toBe(1)
  })
})

it('--allow-privileged grants everything, and takes no rule away', async () => {
  const { code, said } = await graft('validate', '--policy', policy, '--allow-privileged')
  expect(said).not.toContain('asks for pid: host')
  expect(said).toContain('web is refused by rule 1')
  expect(code).toBe(1)
})

it('without any policy file privileges are told and nothing is refused', async () => {
  const { code, said } = await graft('validate')
  expect(said).toContain("2 leaves ask for privileges that a host's policy file must grant: api, web")
  expect(code).toBe(0)
})
