// What a reviewer reads of an image that was bumped; labels are strangers' words.

import { describe, expect, it, test } from 'vitest'
import { imageStepText, linksOf, type ImageStep } from '../../../src/report/image-step-words.ts'

const [OLD, NEW] = ['a'.repeat(40), 'b'.repeat(40)]
const DIGEST = `sha256:${'c'.repeat(64)}`

function step(source: string | null, more: Record<string, string> = {}): ImageStep {
  const labels = (revision: string) => ({
    ...(source === null ? {} : { 'org.opencontainers.image.source': source }),
    'org.opencontainers.image.revision': revision,
  })
  return {
    name: 'quay.io/example/web',
    leaves: ['web'],
    from: { tag: '1.2', digest: null, labels: labels(OLD) },
    to: { tag: '1.3', digest: DIGEST, labels: { ...labels(NEW), ...more } },
  }
}

describe('the link that compares', () => {
  test.each([
    ['https://github.com/example/web', `https://github.com/example/web/compare/${OLD}...${NEW}`],
    ['https://github.com/example/web.git', `https://github.com/example/web/compare/${OLD}...${NEW}`],
    ['https://github.com/example/mono/tree/main/web', `https://github.com/example/mono/compare/${OLD}...${NEW}`],
    ['https://gitlab.com/group/sub/web', `https://gitlab.com/group/sub/web/-/compare/${OLD}...${NEW}`],
    ['https://gitlab.example.org/web/app/', `https://gitlab.example.org/web/app/-/compare/${OLD}...${NEW}`],
    ['https://codeberg.org/example/web', `https://codeberg.org/example/web/compare/${OLD}...${NEW}`],
    ['https://git.example.org/web/app', null],
    ['https://github.com.evil.example/web/app', null],
    ['javascript:alert(1)', null],
    ['https://github.com/example', null],
  ])('of %s', (source, url) => {
    const found = linksOf(step(source)).find(({ what }) => what === 'changes')
    expect(found?.url ?? null).toBe(url)
  })

  it('needs both commits, and two of them', () => {
    const whole = step('https://github.com/example/web')
    const without = { ...whole, from: { ...whole.from, labels: {} } }
    const odd = step('https://github.com/example/web', { 'org.opencontainers.image.revision': 'main..x' })
    const same = step('https://github.com/example/web', { 'org.opencontainers.image.revision': OLD })
    for (const one of [without, odd, same]) expect(linksOf(one).map(({ what }) => what)).toEqual(['source'])
  })
})

describe('the text', () => {
  it('says a step of several leaves once, and what the image says of itself', () => {
    const one = step(null, {
      'org.opencontainers.image.version': '1.3.0',
      'org.opencontainers.image.url': 'https://ann:secret@web.example/',
    })
    expect(imageStepText([one, { ...one, leaves: ['worker'] }])).toBe(
      [
        'quay.io/example/web: 1.2 → 1.3 (2 leaves)',
        `  to       ${DIGEST}`,
        '  version  1.3.0',
        '  site     https://web.example/',
      ].join('\n'),
    )
  })

  it('lets no label write lines of its own', () => {
    const text = imageStepText([
      step('https://x.example/\n\nSigned-off-by: Mallory', {
        'org.opencontainers.image.version': '1\n\nSigned-off-by: Mallory\u001b[31m',
        'org.opencontainers.image.url': 'https://x.example/ y',
      }),
    ])
    expect(text.split('\n')).toHaveLength(3)
    expect(text).not.toContain('\u001b')
  })

  it('of a digest that moved names the tag once, and of nothing is nothing', () => {
    const one = step(null)
    const moved = { ...one, from: { ...one.from, tag: '1.3', digest: `sha256:${'d'.repeat(64)}` } }
    expect(imageStepText([moved])).toMatch(/^quay\.io\/example\/web:1\.3\n {2}from {5}sha256:d+\n {2}to {7}sha256:c+$/)
    expect(imageStepText([])).toBe('')
  })
})
