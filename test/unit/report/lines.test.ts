// What people read, as pictures: problems, a plan, the end of a table.

import { describe, expect, it } from 'vitest'

import type { Problem } from '../../../src/desired/problem.ts'
import type { Plan, Verdict } from '../../../src/plan/verdict.ts'
import { createPalette, wantsColour } from '../../../src/report/palette.ts'
import { planLines } from '../../../src/report/plan-lines.ts'
import { problemLines } from '../../../src/report/problem-lines.ts'

const palette = createPalette(false)

function problem(change: Partial<Problem>): Problem {
  return {
    file: 'web/api.yaml',
    line: 3,
    column: 1,
    text: 'imag: nginx',
    message: 'unknown key imag',
    remedy: 'did you mean image?',
    leaf: null,
    severity: 'unreadable',
    ...change,
  }
}

function verdict(leaf: string, set: string | null, change: Partial<Verdict>): Verdict {
  return {
    leaf,
    set,
    kind: 'keep',
    because: 'as declared',
    changes: [],
    fromGeneration: 3,
    toGeneration: 3,
    order: null,
    gains: [],
    notes: [],
    gap: null,
    retryAt: null,
    awaits: null,
    ...change,
  }
}

function planOf(verdicts: readonly Verdict[], change: Partial<Plan> = {}): Plan {
  return { deployment: 'shop', commit: null, verdicts, tables: [], removalHeld: null, notes: [], ...change }
}

describe('problems', () => {
  it('have a place to click, the text, what is wrong and what would be right', () => {
    const problems = [
      problem({}),
      problem({
        line: null,
        column: null,
        text: null,
        message: 'it asks for privileged',
        remedy: 'grant it',
        severity: 'held',
      }),
      problem({
        file: null,
        line: null,
        column: null,
        text: '--poll x',
        message: 'poll is a number',
        remedy: 'write 15',
        severity: 'warning',
      }),
    ]
    expect(problemLines(problems, { palette, place: (file) => `site/${file}` }).join('\n')).toMatchInlineSnapshot(`
      "site/web/api.yaml:3:1  error
          imag: nginx
        unknown key imag
        → did you mean image?

      site/web/api.yaml  held
        it asks for privileged
        → grant it

      warning
          --poll x
        poll is a number
        → write 15

      2 problems and 1 warning in 1 file"
    `)
  })

  it('cannot steer the terminal', () => {
    const text = problemLines([problem({ text: 'a\u001B]0;owned\u0007b\u001B[2Jc\u202Ed' })], { palette }).join('\n')
    expect(text).toContain('abc d')
    // eslint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u001B\u0007\u202E]/)
  })

  it('of an empty list are nothing', () => {
    expect(problemLines([], { palette })).toEqual([])
  })
})

describe('a plan', () => {
  const plan = planOf(
    [
      verdict('haproxy', '', {}),
      verdict('mariadb', 'database', {}),
      verdict('galera', 'database', {}),
      verdict('nova-api', 'control/nova', {
        kind: 'replace',
        because: 'environment.DEBUG removed, image nova:1.4 → nova:1.5',
        toGeneration: 4,
        changes: [
          { field: 'environment.DEBUG', from: '1', to: null },
          { field: 'image', from: 'nova:1.4', to: 'nova:1.5' },
          { field: 'pid', from: null, to: 'host' },
        ],
        order: { kind: 'start-first', because: 'nothing it holds is exclusive' },
        gains: ['pid: host'],
        notes: ['it has no health check: staying up is all it must prove'],
      }),
      verdict('nova-db-sync', 'control/nova', { kind: 'run', because: 'it has not run yet', fromGeneration: null }),
      verdict('nova-conductor', 'control/nova', {
        kind: 'hold',
        because: 'waits for nova-db-sync',
        awaits: 'nova-db-sync',
      }),
      verdict('nova-scheduler', 'control/nova', {}),
      verdict('cinder', 'control', { kind: 'refuse', because: 'generation 3 already means another spec' }),
      verdict('old-thing', null, { kind: 'remove', because: 'its file is gone', toGeneration: null }),
    ],
    { notes: ['the network edge cannot change in place'] },
  )

  it('is a tree: gains first, fields old → new, unchanged leaves as a number, one line that sums up', () => {
    expect(planLines(plan, { palette, all: false }).join('\n')).toMatchInlineSnapshot(`
      " MORE PRIVILEGE  1 leaf gets what it does not have now:
        control/nova/nova-api  pid: host

      · 1 as declared
      database/  2 as declared
      control/
        ✗ cinder            refuse   3      generation 3 already means another spec
        nova/
          ~ nova-api        replace  3 → 4
              environment.DEBUG  - 1
              image              nova:1.4 → nova:1.5
              pid                + host
              start-first, because nothing it holds is exclusive
              note: it has no health check: staying up is all it must prove
          + nova-db-sync    run      3      it has not run yet
          … nova-conductor  wait     3      waits for nova-db-sync
          · 1 as declared
      - old-thing           remove   3      its file is gone
      ! the network edge cannot change in place

      1 refused, 1 to remove, 1 to replace, 1 to run, 1 waiting, 4 as declared"
    `)
  })

  it('shows every leaf when asked to', () => {
    const lines = planLines(plan, { palette, all: true })
    expect(lines.filter((line) => /mariadb|galera|haproxy|nova-scheduler/.test(line))).toHaveLength(4)
    expect(lines.some((line) => /^\s*· \d+ as declared/.test(line))).toBe(false)
  })

  it('that does nothing says so in one line', () => {
    expect(planLines(planOf([verdict('a', '', {}), verdict('b', '', {})]), { palette, all: false })).toEqual([
      '· 2 as declared',
      '',
      '2 as declared',
    ])
  })

  it('says that nothing is removed above the limit, and what to do', () => {
    const held = planOf([verdict('a', null, { kind: 'hold', because: 'too many', toGeneration: null })], {
      removalHeld: {
        count: 5,
        limit: 3,
        names: ['a', 'b', 'c', 'd', 'e'],
        because: 'limit',
        ids: [],
        digest: '0123456789ab',
      },
    })
    const text = planLines(held, { palette, all: false, removalRemedy: 'graft approve 3fa91c2' }).join('\n')
    expect(text).toContain('NOTHING IS REMOVED')
    expect(text).toContain('5 leaves would be removed, more than the 3 allowed without confirmation: a, b, c, d, e')
    expect(text).toContain('→ graft approve 3fa91c2')
  })
})

describe('colours', () => {
  it.each([
    ['on a terminal', {}, true, undefined, true],
    ['not in a pipe', {}, false, undefined, false],
    ['not with --no-color', { FORCE_COLOR: '1' }, true, false, false],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, undefined, false],
    ['with an empty NO_COLOR', { NO_COLOR: '' }, true, undefined, true],
    ['in a pipe with FORCE_COLOR', { FORCE_COLOR: '1' }, false, undefined, true],
    ['not with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, undefined, false],
    ['not on a dumb terminal', { TERM: 'dumb' }, true, undefined, false],
  ] as const)('%s', (_name, env, terminal, flag, wanted) => {
    expect(wantsColour(env, terminal, flag)).toBe(wanted)
  })
})
