// validate and plan in a pull request: on real repositories, with branches, merge refs and shallow clones. Nothing is left behind.

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'

import { runCommandLine } from '../../../src/cli/program.ts'
import { fakeSurroundings, temporaryFolder } from './fake-surroundings.ts'

let folder: string

function git(...args: string[]): string {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim()
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function commit(message: string): string {
  git('add', '-A')
  git('commit', '-m', message)
  return git('rev-parse', 'HEAD')
}

const leaf = (generation: number, image: string, more = '') => `generation: ${generation}\nimage: ${image}\n${more}`

async function graft(args: readonly string[], env: Record<string, string> = {}) {
  const surroundings = fakeSurroundings({ cwd: folder, env: { ...env, GRAFT_STATE: join(temporaryFolder(), 'state') } })
  const code = await runCommandLine(args, surroundings, '0')
  return { code, out: surroundings.out(), err: surroundings.err() }
}

beforeEach(() => {
  folder = temporaryFolder()
  git('init', '-b', 'main')
  write('site/deployment.yaml', 'format: 1\nname: shop\n')
  write('site/web/set.yaml', 'description: web\n')
  write('site/web/api.yaml', leaf(1, 'shop:1'))
  commit('First')
  write('site/web/api.yaml', leaf(2, 'shop:2'))
  commit('Second')
  git('checkout', '-b', 'change')
})

const SITE = ['--path', 'site']

test('what a branch did wrong on its way is a warning where its head is right', async () => {
  write('site/web/api.yaml', 'generation: 3\nimag: shop:3\n')
  const broken = commit('Broken').slice(0, 7)
  write('site/web/api.yaml', leaf(3, 'shop:3'))
  commit('Mended')
  write('site/web/api.yaml', leaf(3, 'shop:3.1'))
  commit('The same number, another image')
  const { code, out } = await graft(['validate', '--against', 'main', ...SITE])
  expect(out).toContain(`commit ${broken} (Broken) on the way does not read: web/api.yaml:2`)
  expect(out).toContain('beside its own earlier commits')
  expect(out).toContain('2 warnings')
  expect(code).toBe(0)
  expect((await graft(['validate', ...SITE])).code).toBe(1)
})

test('two branches that claim one number: the second to come is refused, with its place', async () => {
  write('site/web/api.yaml', leaf(3, 'shop:3'))
  commit('Mine')
  git('checkout', 'main')
  write('site/web/api.yaml', leaf(3, 'shop:other'))
  commit('Theirs, merged first')
  git('checkout', 'change')
  expect((await graft(['validate', ...SITE])).code).toBe(0)
  const report = join(temporaryFolder(), 'quality.json')
  const { code, out } = await graft(['validate', '--against', 'main', '--code-quality', report, ...SITE], {
    GITHUB_ACTIONS: 'true',
  })
  expect(code).toBe(1)
  expect(out).toMatch(/^::error file=site\/web\/api\.yaml,line=1,col=\d+,title=graft%3A held::/m)
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject([
    { severity: 'major', location: { path: 'site/web/api.yaml', lines: { begin: 1 } } },
  ])
})

test('the merge that a forge makes is judged, and its plan is a comment', async () => {
  write('site/web/api.yaml', leaf(3, 'shop:3', 'privileged: true\n'))
  commit('Api gets more')
  git('checkout', 'main')
  write('site/other.yaml', leaf(1, 'other:1'))
  commit('Meanwhile')
  git('checkout', '--detach')
  git('merge', '--no-ff', '-m', 'Merge change into main', 'change')
  git('update-ref', 'refs/pull/7/merge', 'HEAD')
  // As a runner checks it out.
  expect((await graft(['validate', '--against', 'main', ...SITE])).code).toBe(0)
  git('checkout', 'main')
  const at = ['--ref', 'refs/pull/7/merge', ...SITE]
  expect((await graft(['validate', '--against', 'main', ...at])).code).toBe(0)
  const before = git('for-each-ref') + git('status', '--porcelain')
  const { code, out, err } = await graft(['plan', '--against', 'main', '--markdown', ...at])
  expect(err).toBe('')
  expect(code).toBe(2)
  expect(out.startsWith('<!-- graft plan -->\n### graft: shop\n')).toBe(true)
  expect(out.indexOf('More privilege')).toBeLessThan(out.indexOf('| leaf |'))
  expect(out).toContain('| <code>web&#47;api</code> | replace | 2 → 3 |')
  expect(out).not.toContain('other')
  expect(git('for-each-ref') + git('status', '--porcelain')).toBe(before)
})

test('a head that the host would not let pass is a warning: its merge may be signed', async () => {
  write('site/web/api.yaml', leaf(3, 'shop:3'))
  commit('Api 3')
  const keys = join(temporaryFolder(), 'keys')
  writeFileSync(
    keys,
    'ann@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n',
  )
  const { code, out } = await graft([
    'validate',
    '--against',
    'main',
    '--verify',
    'every',
    '--verify-keys',
    keys,
    ...SITE,
  ])
  expect(out).toMatch(/warning[^]*commit [0-9a-f]{7} is not signed/)
  expect(code).toBe(0)
  expect((await graft(['validate', '--verify', 'every', '--verify-keys', keys, ...SITE])).code).toBe(1)
})

test('a shallow clone is told, not guessed', async () => {
  write('site/web/api.yaml', leaf(3, 'shop:3'))
  commit('Third')
  const origin = folder
  folder = join(temporaryFolder(), 'clone')
  execFileSync('git', ['clone', '-q', '--depth', '1', '--no-single-branch', '-b', 'change', `file://${origin}`, folder])
  const { code, out } = await graft(['validate', '--against', 'origin/main', ...SITE])
  expect(code).toBe(1)
  expect(out).toContain('fetch-depth: 0')
  expect(existsSync(join(folder, '.git', 'shallow'))).toBe(true)
})

test('a change that does not read has a comment, too', async () => {
  write('site/web/api.yaml', 'generation: 3\nimag: "`<b>`"\n')
  commit('Broken')
  const { code, out } = await graft(['plan', '--against', 'main', '--markdown', ...SITE])
  expect(code).toBe(1)
  expect(out).toContain('### graft: this does not read')
})

test('words for mistakes', async () => {
  expect((await graft(['validate', '--against', 'main', '--worktree', ...SITE])).err).toContain('not the work tree')
  expect((await graft(['validate', '--annotations', 'jira', ...SITE])).err).toContain('use github, gitlab or none')
  expect((await graft(['plan', '--against', 'main', ...SITE])).err).toContain('--against goes with --offline')
})

test('the workflows and the hook that graft init writes are read by those who run them', async () => {
  const place = join(temporaryFolder(), 'shop')
  expect((await graft(['init', place])).code).toBe(0)
  for (const path of ['.github/workflows/graft.yml', '.gitea/workflows/graft.yml', '.gitlab-ci.yml']) {
    const workflow: unknown = parse(readFileSync(join(place, path), 'utf8'))
    const scripts = shellOf(workflow)
    expect(scripts.join('\n')).toMatch(/graft validate --against[^]*graft plan --against[^]*--markdown/)
    for (const script of scripts) {
      // An expression inside a script would be put into it as code.
      expect(script).not.toContain('${{')
      execFileSync('sh', ['-n'], { input: script })
      const program = /<<'END'\n([^]*?)\n *END$/m.exec(script)?.[1]
      if (program !== undefined) execFileSync(process.execPath, ['--check', '-'], { input: program })
    }
  }
  const hook = join(place, '.githooks/pre-commit')
  expect(statSync(hook).mode & 0o111).toBe(0o111)
  execFileSync('sh', ['-n', hook])
})

function shellOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => (typeof item === 'string' ? [item] : shellOf(item)))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => (key === 'run' ? [String(item)] : shellOf(item)))
}

test.each([
  ['.gitea/workflows/graft.yml', 'PATCH', '/api/v1/repos/me/shop/issues/comments/2'],
  ['.gitlab-ci.yml', 'PUT', '/api/v1/repos/projects/5/merge_requests/7/notes/2'],
])('%s writes one comment, and replaces its own', async (path, method, address) => {
  const place = join(temporaryFolder(), 'shop')
  await graft(['init', place])
  const program = shellOf(parse(readFileSync(join(place, path), 'utf8')))
    .map((script) => /<<'END'\n([^]*?)\n *END$/m.exec(script)?.[1])
    .find((found) => found !== undefined)
  writeFileSync(join(place, 'comment.cjs'), program ?? '')
  writeFileSync(join(place, 'plan.md'), '<!-- graft plan -->\n"new" $HOME')
  // Somebody else's comment with the same first line stays as it is.
  const comments = [{ id: 1, body: '<!-- graft plan -->\nnot yours' }]
  const asked: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part: Buffer) => (text += String(part)))
    request.on('end', () => {
      const { method: verb = '', url = '' } = request
      const body = text === '' ? '' : (JSON.parse(text) as { body: string }).body
      if (verb === 'GET') return response.end(JSON.stringify(comments))
      asked.push(`${verb} ${url}`)
      const id = Number(url.split('/').at(-1))
      const found = comments.find((comment) => comment.id === id)
      response.statusCode = verb !== 'POST' && id === 1 ? 403 : 200
      if (verb === 'POST') comments.push({ id: comments.length + 1, body })
      else if (found !== undefined && id !== 1) found.body = body
      return response.end('{}')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const at = server.address()
  const base = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/api/v1/repos`
  const env = {
    PLAN: join(place, 'plan.md'),
    API: `${base}/me/shop`,
    NUMBER: '7',
    TOKEN: 'x',
    CI_API_V4_URL: base,
    CI_MERGE_REQUEST_PROJECT_ID: '5',
    CI_MERGE_REQUEST_IID: '7',
    GRAFT_COMMENT_TOKEN: 'x',
  }
  const run = () => promisify(execFile)(process.execPath, [join(place, 'comment.cjs')], { env })
  try {
    await run()
    writeFileSync(join(place, 'plan.md'), '<!-- graft plan -->\nnewer')
    await run()
  } finally {
    server.close()
  }
  expect(comments).toEqual([
    { id: 1, body: '<!-- graft plan -->\nnot yours' },
    { id: 2, body: '<!-- graft plan -->\nnewer' },
  ])
  expect(asked.at(-1)).toBe(`${method} ${address}`)
})
