// What a plan tells of secrets: that one came, went or changed, and never a value.

import { describe, expect, it } from 'vitest'

import type { SecretsSpec } from '../../../src/desired/secret-source.ts'
import type { Leaf } from '../../../src/desired/tree.ts'
import type { GraftLabels } from '../../../src/plan/observed.ts'
import { secretChanges, secretDigests, secretsBetween, withoutSecretFields } from '../../../src/plan/secret-digests.ts'
import { leafOf } from '../../engine/contract/sample-tree.ts'

const ONE: SecretsSpec = {
  files: { '/run/secrets/one': { content: 'host:one', mode: 0o400, uid: 0, gid: 0 } },
  environment: { TOKEN: 'host:two' },
}
const labelsOf = (leaf: Leaf): GraftLabels => ({ ...LABELS, ...withDigests(leaf) })
const LABELS: GraftLabels = {
  deployment: 'shop',
  leaf: 'web',
  kind: 'container',
  generation: 7,
  digest: '',
  commit: '',
  restart: 'always',
  image: '',
  imageId: '',
  files: '',
}

function withDigests(leaf: Leaf): Pick<GraftLabels, 'secrets'> {
  const secrets = secretDigests(leaf)
  return secrets === null ? {} : { secrets }
}

describe('the secrets of a container', () => {
  const leaf = leafOf('web', { secrets: ONE })

  it('are as they were', () => {
    expect(secretChanges(leaf, labelsOf(leaf))).toEqual([])
  })

  it('changed in value, mode or owner', () => {
    const fingerprints = new Map(
      [['host:one', 'e'.repeat(64)], ...(leaf.secrets?.fingerprints ?? [])].toReversed() as [string, string][],
    )
    fingerprints.set('host:one', 'e'.repeat(64))
    const rotated: Leaf = { ...leaf, secrets: { values: leaf.secrets?.values ?? new Map(), fingerprints } }
    const hidden = [{ field: 'secrets./run/secrets/one', from: '(hidden)', to: '(hidden, differs)' }]
    expect(secretChanges(rotated, labelsOf(leaf))).toEqual(hidden)
    const files = { '/run/secrets/one': { content: 'host:one', mode: 0o440, uid: 0, gid: 0 } }
    expect(secretChanges(leafOf('web', { secrets: { ...ONE, files } }), labelsOf(leaf))).toEqual(hidden)
  })

  it('came or went', () => {
    const without = leafOf('web')
    expect(secretChanges(leaf, LABELS).map(({ field, from }) => [field, from])).toEqual([
      ['secrets./run/secrets/one', null],
      ['environment.TOKEN', null],
    ])
    expect(secretChanges(without, labelsOf(leaf)).map(({ field, to }) => [field, to])).toEqual([
      ['secrets./run/secrets/one', null],
      ['environment.TOKEN', null],
    ])
  })

  it('a variable that is no secret any more is told once, by its own value', () => {
    const plain = leafOf('web', { environment: { TOKEN: 'for all' } })
    expect(secretChanges(plain, labelsOf(leaf)).map(({ field }) => field)).toEqual(['secrets./run/secrets/one'])
  })

  it('are not among the fields that are compared and shown', () => {
    const fields = new Map([
      ['environment.TOKEN', 'hunter2hunter2'],
      ['environment.A', 'b'],
    ])
    expect([...withoutSecretFields(fields, leaf, LABELS)]).toEqual([['environment.A', 'b']])
    expect([...withoutSecretFields(fields, leafOf('web'), labelsOf(leaf))]).toEqual([['environment.A', 'b']])
  })

  it('hold no value in what becomes a label', () => {
    const text = JSON.stringify(secretDigests(leaf))
    expect(text).toContain('/run/secrets/one')
    expect(text).not.toContain('the value of')
  })

  it('differ between two commits by their references alone', () => {
    const other = leafOf('web', { secrets: { ...ONE, environment: { TOKEN: 'host:three' } } })
    expect(secretsBetween(leaf, other)).toEqual([
      { field: 'environment.TOKEN', from: '(hidden)', to: '(hidden, differs)' },
    ])
    expect(secretsBetween(leaf, { ...leaf })).toEqual([])
  })
})
