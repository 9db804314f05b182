// History, outcomes, traces and differences as a person sees them.

import { describe, expect, it } from 'vitest'

import { differenceBetween } from '../../../src/plan/tree-difference.ts'
import { shortDate } from '../../../src/report/calendar.ts'
import { differenceLines } from '../../../src/report/difference-lines.ts'
import type { HistoryEntry, HistoryPage, LeafTouch } from '../../../src/report/history.ts'
import { historyLines } from '../../../src/report/history-lines.ts'
import type { LeafOutcome, OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { createPalette } from '../../../src/report/palette.ts'
import { pullRequestIn, pullRequestText } from '../../../src/report/pull-request.ts'
import type { Trace } from '../../../src/report/trace.ts'
import { traceLines } from '../../../src/report/trace-lines.ts'
import type { CommitFacts } from '../../../src/repository/snapshot.ts'
import { leaf, treeOf } from '../plan/build.ts'

const palette = createPalette(false)
/** In the clock of whoever runs the tests. */
const NOW = new Date(2026, 10, 22, 23, 45).getTime()
const MINUTE = 60_000

function commit(digit: string, subject: string, ago: number, author = 'Ann Example'): CommitFacts {
  return { id: digit.repeat(40), parents: [], subject, author, time: NOW - ago }
}

function touch(name: string, from: number | null, to: number | null, more: Partial<LeafTouch> = {}): LeafTouch {
  return { leaf: name, set: 'nova', file: `nova/${name}.yaml`, line: 1, from, to, how: 'spec', ...more }
}

function outcome(
  host: string,
  result: OutcomeRecord['result'],
  leaves: readonly Partial<LeafOutcome>[],
): OutcomeRecord {
  const nothing = { leaf: 'api', from: 8, to: 9, order: null, gate: null, gap: null, availability: null, message: null }
  return {
    format: 1,
    host,
    deployment: 'openstack',
    commit: 'a'.repeat(40),
    result,
    at: NOW,
    milliseconds: 12_000,
    leaves: leaves.map((one) => ({ ...nothing, result: 'replaced', ...one })),
    problems: result === 'refused' ? ['nova/api.yaml:1: generation 9 of api already means another spec'] : [],
  }
}

const entry = (
  facts: CommitFacts,
  leaves: readonly LeafTouch[],
  outcomes: readonly OutcomeRecord[] = [],
): HistoryEntry => ({
  commit: facts,
  reads: true,
  leaves,
  files: leaves.map(({ file }) => file),
  outcomes,
})

const bump = commit('9', 'Bump nova to 2025.2', 34 * MINUTE, 'Bob Builder')
const revert = commit('3', 'Revert "Bump nova to 2025.2"', 3 * MINUTE)

function lines(page: Partial<HistoryPage>, columns = Infinity): string[] {
  const node = { kind: 'leaf', name: 'api', file: 'nova/api.yaml', generation: 8 } as const
  return historyLines(
    { deployment: 'openstack', node, entries: [], next: null, complete: true, ...page },
    {
      palette,
      now: NOW,
      columns,
      more: (before) => `graft history api --before ${before}`,
      place: (file) => `site/${file}`,
    },
  )
}

describe('the history of a leaf', () => {
  it('has its generations, who wrote them, and what came of them on each host', () => {
    const measured = { gate: 1_230, gap: 0, availability: { port: '80', tried: 1_203, lost: 0, longestPause: 20 } }
    const failed = outcome('beta', 'failed', [{ result: 'failed', message: 'exited with 1 after 2.3 s' }])
    const entries = [
      entry(revert, [touch('api', 9, 8)], [outcome('alpha', 'deployed', [measured]), outcome('beta', 'deployed', [])]),
      entry(bump, [touch('api', 8, 9)], [outcome('alpha', 'deployed', [{ gate: 3_140, gap: 600 }]), failed]),
      entry(commit('1', 'Begin', 400 * 24 * 60 * MINUTE), [touch('api', null, 8, { how: 'added' })]),
    ]
    expect(lines({ entries, next: '1'.repeat(40) })).toEqual([
      'api  generation 8  site/nova/api.yaml',
      '',
      '✓ 22 Nov 23:42   3 min  3333333  9 → 8  Revert "Bump nova to 2025.2"',
      '                                        Ann Example',
      '                                        ✓ alpha  gate 1.2 s, no gap, 0 of 1,203 lost',
      '                                        ✓ beta',
      '✗ 22 Nov 23:11  34 min  9999999  8 → 9  Bump nova to 2025.2',
      '                                        Bob Builder',
      '                                        ✓ alpha  gate 3.1 s, gap 0.6 s',
      '                                        ✗ beta  exited with 1 after 2.3 s',
      '· 18 Oct  2025   400 d  1111111  new 8  Begin',
      '                                        Ann Example',
      '',
      'older: graft history api --before 111111111111',
    ])
  })

  it('is not blamed for what failed beside it', () => {
    const record = outcome('alpha', 'failed', [{ leaf: 'web', result: 'failed', message: 'no' }, { leaf: 'api' }])
    expect(lines({ entries: [entry(bump, [touch('api', 8, 9)], [record])] }).join('\n')).not.toContain('✗')
    const [, , head] = lines({ entries: [entry(bump, [touch('api', 8, 9)], [outcome('alpha', 'refused', [])])] })
    expect(head).toMatch(/^✗/)
  })

  it('tells hosts that say the same in one line', () => {
    const entries = [
      entry(
        bump,
        [touch('api', 8, 9)],
        ['alpha', 'beta', 'gamma'].map((host) => outcome(host, 'superseded', [])),
      ),
    ]
    expect(lines({ entries }).at(-1)?.trim()).toBe('» alpha, beta, gamma  a newer commit came first')
  })

  it('says what a commit did where generations do not, and that a leaf is gone', () => {
    const node = { kind: 'leaf', name: 'api', file: 'nova/api.yaml', generation: null } as const
    const entries = [
      entry(bump, [touch('api', 9, null, { how: 'removed' })]),
      entry(bump, [touch('api', 9, 9, { how: 'moved', fromSet: '' })]),
      { ...entry(bump, []), reads: false, files: ['nova/api.yaml'] },
      entry(bump, [touch('api', 9, 9)]),
    ]
    const shown = lines({ node, entries, complete: false }).map((line) => line.trim())
    expect(shown).toEqual([
      'api  gone  site/nova/api.yaml',
      '',
      '· 22 Nov 23:11  34 min  9999999  gone  Bump nova to 2025.2',
      'Bob Builder',
      '· 22 Nov 23:11  34 min  9999999     9  Bump nova to 2025.2',
      'Bob Builder  moved from the root to nova',
      '· 22 Nov 23:11  34 min  9999999     ?  Bump nova to 2025.2',
      'Bob Builder  does not read; it changed nothing',
      '· 22 Nov 23:11  34 min  9999999     9  Bump nova to 2025.2',
      'Bob Builder  another spec under the same generation',
      '',
      'the clone is shallow: what was before is not known here',
    ])
  })
})

describe('the history of a set', () => {
  it('names the leaves of each commit, those with generations first, and sums up what came of them', () => {
    const node = { kind: 'set', name: 'control/nova', file: null, generation: null } as const
    const many = ['aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'gg'].map((name) => touch(name, 1, 2))
    const entries = [
      entry(
        bump,
        [touch('quiet', 4, 4, { how: 'settings' }), ...many],
        [
          outcome('alpha', 'deployed', [
            { leaf: 'aa', gate: 1_000, gap: 0 },
            { leaf: 'bb', gate: 2_000, gap: 500 },
          ]),
          outcome('beta', 'failed', [
            { leaf: 'aa', result: 'failed', message: 'exited with 1' },
            { leaf: 'bb', result: 'held', message: 'waits for aa' },
          ]),
        ],
      ),
      { ...entry(revert, []), files: ['control/nova/set.yaml'] },
    ]
    expect(lines({ node, entries })).toEqual([
      'control/nova/  a set of openstack',
      '',
      '✗ 22 Nov 23:11  34 min  9999999  Bump nova to 2025.2',
      '                                 Bob Builder  aa 1 → 2, bb 1 → 2, cc 1 → 2, dd 1 → 2, ee 1 → 2, ff 1 → 2, 2 more',
      '                                 ✓ alpha  longest gate 2.0 s, longest gap 0.5 s',
      '                                 ✗ beta  aa: exited with 1, and 1 more',
      '· 22 Nov 23:42   3 min  3333333  Revert "Bump nova to 2025.2"',
      '                                 Ann Example  only control/nova/set.yaml',
    ])
  })

  it('fits the terminal, and what others wrote does not steer it', () => {
    const evil = commit('e', `\u001B[2J${'long '.repeat(40)}`, 0, '\u001B]0;x\u0007Eve')
    const shown = lines({ entries: [entry(evil, [touch('api', 1, 2)])] }, 80)
    expect(shown.every((line) => line.length <= 80)).toBe(true)
    expect(shown.join('')).not.toContain('\u001B')
  })

  it('says where nothing touched it', () => {
    expect(lines({})).toContain('no commit touched it')
  })
})

it('a date of another year has the year instead of the hour', () => {
  expect(shortDate(new Date(2026, 0, 3, 4, 5).getTime(), NOW)).toBe(' 3 Jan 04:05')
  expect(shortDate(new Date(2025, 0, 3, 4, 5).getTime(), NOW)).toBe(' 3 Jan  2025')
})

describe('a pull request in a message', () => {
  it.each([
    ['Merge pull request #12 from acme/side\n\nTitle', '#12'],
    ["Merge pull request 'Title (#3)' (#13) from side into main", '#13'],
    ['Title (#14)', '#14'],
    ['Revert "Title (#14)" (#15)', '#15'],
    ["Merge branch 'side' into 'main'\n\nTitle\n\nSee merge request group/sub/project!7", '!7'],
    ['Merged in side (pull request #16)\n\nTitle', '#16'],
    ['Merged PR 17: Title', '#17'],
    ['Title (!18)', '!18'],
  ])('%j is %s', (message, text) => {
    const found = pullRequestIn(message)
    expect(found === null ? null : pullRequestText(found)).toBe(text)
  })

  it.each([
    'Fix #12',
    'Title\n\n(#12)',
    'Title (#0)',
    'Title (#12345678901)',
    '',
    "Merge branch 'x'\n\nnot See merge request a!b",
  ])('is not in %j', (message) => expect(pullRequestIn(message)).toBeNull())
})

describe('a trace', () => {
  const trace: Trace = {
    deployment: 'openstack',
    leaf: 'api',
    set: 'nova',
    container: {
      id: 'c'.repeat(64),
      name: 'api.failed',
      role: 'failed',
      state: 'exited',
      health: 'none',
      image: 'quay.io/nova-api:2',
      imageId: `sha256:${'d'.repeat(64)}`,
      startedAt: NOW - MINUTE,
      commit: '3'.repeat(40),
    },
    engineFault: null,
    generation: 9,
    declared: 8,
    introduced: commit('9', 'Merge pull request #41', 34 * MINUTE, 'Bob Builder'),
    written: commit('5', 'Bump', 40 * MINUTE, 'Cleo Coder'),
    place: { file: 'nova/api.yaml', line: 2 },
    madeFor: revert,
    pullRequest: { number: 41, kind: 'pull', link: 'https://git.example/acme/site/pulls/41' },
  }
  const shown = (change: Partial<Trace> = {}): string[] =>
    traceLines({ ...trace, ...change }, { palette, now: NOW, place: (file) => `site/${file}` })

  it('goes from the container to the line and its author', () => {
    expect(shown()).toEqual([
      'container   api.failed  cccccccccccc  failed, exited',
      'image       quay.io/nova-api:2  sha256:dddddddddddd',
      'leaf        api  in nova',
      'generation  9  8 is declared now',
      'file        site/nova/api.yaml:2',
      'commit      9999999 Merge pull request #41  22 Nov 23:11, 34 min ago',
      'merged      5555555 Bump  22 Nov 23:05, 40 min ago',
      'author      Cleo Coder',
      'request     #41  https://git.example/acme/site/pulls/41',
      'made for    3333333 Revert "Bump nova to 2025.2"  22 Nov 23:42, 3 min ago',
    ])
  })

  it('says what is not known', () => {
    const nothing = { introduced: null, written: null, place: null, madeFor: null, pullRequest: null }
    expect(shown({ ...nothing, container: null, declared: null, set: null })).toEqual([
      'container   none on this engine',
      'leaf        api',
      'generation  9  the leaf is gone from the newest commit',
      "commit      not in this branch's history",
    ])
    const engineFault = { message: 'no engine at unix:///x', remedy: '' }
    expect(shown({ container: null, engineFault })[0]).toBe('container   not known: no engine at unix:///x')
  })
})

describe('the difference between two trees', () => {
  const everything = { leaf: () => true, set: () => true }
  const before = treeOf({
    'nova/set.yaml': 'description: nova\n',
    'nova/api.yaml': leaf(8, 'environment: {DEBUG: "1", DB_PASSWORD: a}\nupdate: {drain: 5s}'),
    'nova/old.yaml': leaf(1, 'renamed_from: older'),
    gone: leaf(3),
    same: leaf(1),
  })
  const after = treeOf(
    {
      'nova/set.yaml': 'description: nova\nstate: stopped\n',
      'nova/api.yaml': leaf(9, 'environment: {DEBUG: "1", DB_PASSWORD: b}\nprivileged: true\nupdate: {drain: 20s}'),
      'nova/new.yaml': leaf(1, 'renamed_from: old'),
      fresh: leaf(1),
      same: `# written in another way\n${leaf(1)}`,
    },
    'networks: {back: {}}\n',
  )

  it('has generations and fields, gains first, and no secret', () => {
    expect(differenceLines(differenceBetween(before, after, everything), palette)).toEqual([
      ' MORE PRIVILEGE  1 leaf gets what it does not have now:',
      '  nova/api  privileged',
      '',
      '+ fresh     1      new',
      '~ nova/api  8 → 9',
      '    environment.DB_PASSWORD  (hidden) → (hidden, differs)',
      '    image                    app:8 → app:9',
      '    privileged               + true',
      '    update.drain             5s → 20s',
      '~ nova/new  1      renamed from old',
      '- gone      3      gone',
      'sets',
      '    nova: state  + stopped',
      'deployment',
      '    networks.back.driver  + bridge',
      '    networks.back.name    + shop_back',
      '',
      '2 changed, 1 new, 1 gone, sets, the deployment itself',
    ])
  })

  it('is of one leaf or one set where that is asked', () => {
    const only = differenceBetween(before, after, { leaf: ({ name }) => name === 'fresh', set: () => false })
    expect(only).toMatchObject({ leaves: [{ leaf: 'fresh', how: 'added', from: null, to: 1 }], sets: [], rest: [] })
  })

  it('is nothing where only the writing differs', () => {
    expect(differenceLines(differenceBetween(before, before, everything), palette)).toEqual([
      'nothing differs that graft acts on',
    ])
  })
})
