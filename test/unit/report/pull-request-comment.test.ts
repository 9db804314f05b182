// What a pull request shows: the plan as a comment, and problems beside their lines; whatever a repository holds, it stays text.

import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import type { Problem } from '../../../src/desired/problem.ts'
import type { Plan, Verdict } from '../../../src/plan/verdict.ts'
import { codeQuality, githubAnnotations } from '../../../src/report/annotations.ts'
import { markdownCode, markdownText } from '../../../src/report/markdown.ts'
import { COMMENT_LIMIT, planMarkdown } from '../../../src/report/plan-markdown.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const base: Verdict = {
  leaf: 'api',
  set: 'web',
  kind: 'replace',
  because: 'image 1 → 2',
  changes: [{ field: 'image', from: 'shop:1', to: 'shop:2' }],
  fromGeneration: 3,
  toGeneration: 4,
  order: { kind: 'start-first', because: 'nothing is exclusive' },
  gains: [],
  notes: [],
  gap: { milliseconds: 0, because: 'the old one stays until then' },
  retryAt: null,
  awaits: null,
}

const planOf = (verdicts: readonly Verdict[]): Plan => ({
  deployment: 'shop',
  commit: null,
  verdicts,
  tables: [],
  removalHeld: null,
  notes: [],
})

const comment = (verdicts: readonly Verdict[], problems: readonly Problem[] = []) =>
  planMarkdown({
    plan: planOf(verdicts),
    problems,
    head: { id: 'abcdef0123', subject: 'Bump api' },
    than: { id: '0123abcdef', subject: 'Before' },
  })

const problem: Problem = {
  file: 'web/api.yaml',
  line: 3,
  column: 1,
  text: null,
  message: '100% wrong: a, b',
  remedy: 'correct it',
  leaf: 'api',
  severity: 'held',
}

describe('the comment', () => {
  it('reads so', () => {
    expect(comment([base])).toBe(
      `<!-- graft plan -->
### graft: shop

**1 to replace**

<code>abcdef0</code> Bump api, compared with <code>0123abc</code> Before

| leaf | what | generation | order | expected gap |
|---|---|---|---|---|
| <code>web&#47;api</code> | replace | 3 → 4 | start-first | none |

<details><summary><code>web&#47;api</code>: replace</summary>

- start-first: nothing is exclusive
- gap: the old one stays until then
- <code>image</code>: <code>shop&#58;1</code> → <code>shop&#58;2</code>

</details>
`,
    )
  })

  it('tells first what gains privilege', () => {
    const text = comment([base, { ...base, leaf: 'vm', gains: ['privileged', 'pid: host'] }], [problem])
    const at = text.indexOf('**More privilege**: 1 leaf gets what it does not have now.')
    expect(at).toBeGreaterThan(0)
    expect(at).toBeLessThan(text.indexOf('**Held**'))
    expect(at).toBeLessThan(text.indexOf('| leaf |'))
    expect(text).toContain('> - <code>web&#47;vm</code>: <code>privileged</code>, <code>pid&#58; host</code>')
  })

  it('says that nothing is done', () => {
    expect(comment([{ ...base, kind: 'keep' }])).toContain('Nothing would be done on a host.')
  })

  it('stays below its limit, and says what is left out', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...base, leaf: `leaf-${index}` }))
    const text = comment(many)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(COMMENT_LIMIT)
    expect(text).toContain('the comment would be too long')
    expect(text.match(/<details>/g)?.length ?? 0).toBe(text.match(/<\/details>/g)?.length ?? 0)
  })

  it('keeps what gains privilege where everything gains all there is', () => {
    const gains = Array.from({ length: 300 }, () => '<'.repeat(400))
    const text = comment(Array.from({ length: 500 }, (_, index) => ({ ...base, leaf: `leaf-${index}`, gains })))
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(COMMENT_LIMIT)
    expect(text).toContain('500 leaves get what they do not have now')
    expect(text).toContain('and 295 more')
    expect(text).toContain('> - and 475 more')
  })

  it('keeps what gains privilege where one change is huge', () => {
    const huge = { field: 'command', from: 'x'.repeat(500_000), to: '`'.repeat(500_000) }
    const text = comment([{ ...base, gains: ['privileged'], because: 'y'.repeat(500_000), changes: [huge] }])
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(COMMENT_LIMIT)
    expect(text).toContain('**More privilege**')
  })
})

describe('text of somebody else', () => {
  const hostile = [
    '</details><img src=x onerror=alert(1)>',
    '<!-- graft plan -->',
    '@everyone look at https://evil.example/?a=b and www.evil.example #12 !7',
    '[link](javascript:alert(1)) ![](//evil.example/x.png)',
    '`code` | cell ||| ``` fence',
    'line\n# heading\r\n| row |',
    '$x^2$ ~~gone~~ **bold** _it_',
    '&lt;b&gt; \u202Eevil\u0007',
  ]
  it.each(hostile)('stays text: %j', (text) => {
    for (const safe of [markdownText(text), markdownCode(text)]) {
      for (const sign of ['\r', '\n', '\u0007', '\u202E', '@']) expect(safe).not.toContain(sign)
      expect(safe.replaceAll(/<\/?code>/g, '')).not.toMatch(/[<>]/)
      expect(safe).not.toMatch(/https?:|www\./)
      expect(safe.replaceAll(/\\./g, '').replaceAll(/&#?\w+;/g, '')).not.toMatch(/[`|*_[\]~$#!]/)
    }
  })

  it('does not end the fold or the table it stands in', () => {
    const text = comment(hostile.map((because, index) => ({ ...base, leaf: `leaf-${index}`, because })))
    expect(text.match(/<details>/g)).toHaveLength(hostile.length)
    expect(text.match(/<\/details>/g)).toHaveLength(hostile.length)
    expect(text.match(/<!--/g)).toHaveLength(1)
  })
})

describe('annotations', () => {
  const path = (file: string) => `site/${file}`

  it("are GitHub's commands, errors first", () => {
    expect(githubAnnotations([{ ...problem, severity: 'warning' }, problem], path)).toEqual([
      '::error file=site/web/api.yaml,line=3,col=1,title=graft%3A held::100%25 wrong: a, b%0A→ correct it',
      '::warning file=site/web/api.yaml,line=3,col=1,title=graft::100%25 wrong: a, b%0A→ correct it',
    ])
  })

  it('cannot be written by the repository', () => {
    const [line] = githubAnnotations(
      [{ ...problem, file: 'a,b:c\n::error::x', message: 'x\n::set-env name=A::b' }],
      path,
    )
    expect(line).toBe(
      '::error file=site/a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax,line=3,col=1,title=graft%3A held::x ::set-env name=A::b%0A→ correct it',
    )
  })

  it("are GitLab's report, each with a fingerprint of its own", () => {
    const [first, second, third] = codeQuality(
      [problem, problem, { ...problem, file: null, line: null }],
      path,
      'deployment.yaml',
      sha256,
    )
    expect(first).toMatchObject({ severity: 'major', location: { path: 'site/web/api.yaml', lines: { begin: 3 } } })
    expect(third?.location).toEqual({ path: 'site/deployment.yaml', lines: { begin: 1 } })
    expect(new Set([first, second, third].map((entry) => entry?.fingerprint)).size).toBe(3)
  })
})
