// Requests for commit statuses, held to what the forges publish of their APIs.

import { describe, expect, it } from 'vitest'

import { isSaidAlready, statusRequest, tokenHeader, type StatusState } from '../../../src/forge/commit-status.ts'
import { commitPage, FORGE_KINDS, forgeProject, pullRequestPage } from '../../../src/forge/forge-project.ts'
import { API_DESCRIPTIONS, fits } from './api-descriptions.ts'

const COMMIT = 'a'.repeat(40)
const STATES: readonly StatusState[] = ['pending', 'success', 'failure']

describe.each(FORGE_KINDS)('a status on %s', (kind) => {
  const project = forgeProject('https://git.example/team/site.git', { kind })
  if (project === null) throw new Error('no project')
  const described = API_DESCRIPTIONS[kind]

  it.each(STATES)('%s is a request that its API describes', (state) => {
    const request = statusRequest(project, {
      commit: COMMIT,
      state,
      context: 'graft/web1',
      description: 'nova-api 8 → 9\nin 12 s '.repeat(30),
      link: commitPage(project, COMMIT),
    })
    expect(request.url.startsWith(`${project.api}/`)).toBe(true)
    expect(fits(request.url.slice(project.api.length), described.path), request.url).toBe(true)
    expect(described.body.safeParse(JSON.parse(request.body)).error).toBeUndefined()
    expect(request.headers['content-type']).toBe('application/json')
  })

  it('needs no link, and one line is one line', () => {
    const status = { commit: COMMIT, state: 'success', context: 'graft/x', description: 'a\n  b', link: null } as const
    const body = JSON.parse(statusRequest(project, status).body) as Record<string, unknown>
    expect(described.body.safeParse(body).error).toBeUndefined()
    expect(body['description']).toBe('a b')
    expect(body).not.toHaveProperty('target_url')
  })

  it('proves who asks in the header that its API describes', () => {
    const headers = tokenHeader(kind, 'secret')
    expect(Object.keys(headers)).toEqual([described.token.name])
    expect(headers[described.token.name]).toMatch(described.token.value)
  })
})

describe('GitLab', () => {
  it('that has a state already was told what was wanted', () => {
    const words = '{"message":"Cannot transition status via :run from :running (Reason(s): …)"}'
    expect(isSaidAlready('gitlab', 400, words)).toBe(true)
    expect(isSaidAlready('gitlab', 400, '{"message":"state is invalid"}')).toBe(false)
    expect(isSaidAlready('github', 400, words)).toBe(false)
  })

  it('names a project in groups by its whole path', () => {
    const project = forgeProject('git@gitlab.com:group/inner/site.git')
    if (project === null) throw new Error('no project')
    const status = { commit: COMMIT, state: 'pending', context: 'c', description: '', link: null } as const
    expect(statusRequest(project, status).url).toBe(
      `https://gitlab.com/api/v4/projects/group%2Finner%2Fsite/statuses/${COMMIT}`,
    )
  })
})

describe('the project of a repository', () => {
  it.each([
    ['https://github.com/team/site.git', 'github', 'https://api.github.com', 'team/site'],
    ['git@github.com:team/site.git', 'github', 'https://api.github.com', 'team/site'],
    ['ssh://git@codeberg.org:22/team/site', 'forgejo', 'https://codeberg.org/api/v1', 'team/site'],
    ['https://gitlab.com/a/b/c', 'gitlab', 'https://gitlab.com/api/v4', 'a/b/c'],
    ['https://GITEA.com/team/site/', 'gitea', 'https://gitea.com/api/v1', 'team/site'],
  ])('%s is on %s', (repo, kind, api, path) => {
    expect(forgeProject(repo)).toMatchObject({ kind, api, path })
  })

  it('on a host of one’s own has to be said', () => {
    expect(forgeProject('https://git.example/team/site')).toBeNull()
    expect(forgeProject('http://git.example:3000/team/site', { kind: 'gitea' })).toMatchObject({
      api: 'http://git.example:3000/api/v1',
      page: 'http://git.example:3000/team/site',
    })
    expect(forgeProject('https://ghe.example/team/site', { kind: 'github' })?.api).toBe('https://ghe.example/api/v3')
    expect(forgeProject('https://x.example/team/site', { kind: 'gitea', api: 'https://y.example/v1/' })?.api).toBe(
      'https://y.example/v1',
    )
  })

  it.each(['/srv/site', 'file:///srv/site', '.', 'https://git.example/site', 'C:\\site', ''])(
    'of %s is none',
    (repo) => {
      expect(forgeProject(repo, { kind: 'github' })).toBeNull()
    },
  )

  it('has a page for each commit and each pull request', () => {
    const page = (repo: string) => {
      const project = forgeProject(repo)
      return project === null ? [] : [commitPage(project, 'abc'), pullRequestPage(project, 7)]
    }
    expect(page('https://github.com/a/b')).toEqual([
      'https://github.com/a/b/commit/abc',
      'https://github.com/a/b/pull/7',
    ])
    expect(page('https://gitlab.com/a/b')).toEqual([
      'https://gitlab.com/a/b/-/commit/abc',
      'https://gitlab.com/a/b/-/merge_requests/7',
    ])
    expect(page('https://codeberg.org/a/b')).toEqual([
      'https://codeberg.org/a/b/commit/abc',
      'https://codeberg.org/a/b/pulls/7',
    ])
  })
})
