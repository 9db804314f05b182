// Another image, tag, digest or version, written where its author wrote it; refused where others would change unseen.

import { describe, expect, it, test } from 'vitest'

import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { editImages, editVersion, type ImageWish } from '../../../src/desired/image-edit.ts'
import { joinImage, splitImage } from '../../../src/desired/image-place.ts'
import { createReader } from '../../../src/desired/read.ts'
import { isRefusal, type EditRefusal, type TextEdits } from '../../../src/desired/text-edits.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'
import { snapshotOf } from './snapshot-of.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const OTHER = `sha256:${'cd'.repeat(32)}`
const FILES = {
  'deployment.yaml': [
    'name: shop',
    'format: 1',
    'variables: {registry: "quay.io:443", distro: noble, release: "2025.1", whole: docker.io/x/whole:1}',
    'host_variables: {site: {example: a}}',
    'ingress: {image: docker.io/library/haproxy:3.2-alpine, generation: 1}',
    '',
  ].join('\n'),
  'nova/set.yaml': 'version: ${release}-ubuntu\ndefaults:\n  image: docker.io/x/shared:1 # all\n',
  'nova/api.yaml': 'generation: 1\nimage: ${registry}/kolla/nova-api:${version}-${distro}\n',
  'nova/web.yaml': 'generation: 1\nimage: ${registry}/web:1.4 # the web\n',
  'nova/pinned.yaml': `generation: 1\nimage: "docker.io/x/pinned:1@${DIGEST}"\n`,
  'nova/bare.yaml': 'generation: 1\nimage: docker.io/x/bare\n',
  'nova/one.yaml': 'generation: 1\n',
  'nova/two.yaml': 'generation: 1\n',
  'nova/whole.yaml': 'generation: 1\nimage: ${whole}\n',
  'nova/hosted.yaml': 'generation: 1\nimage: docker.io/x/hosted:${site}\n',
  'cinder/set.yaml': 'version: "1.0"\n',
  'cinder/aa.yaml': 'generation: 1\nimage: docker.io/x/a:${version}\n',
  'cinder/bb.yaml': 'generation: 1\nimage: docker.io/x/b:${version:-0}-slim\n',
}

function edit(...wishes: ImageWish[]) {
  return outcome((snapshot, tree) => editImages(snapshot, tree, wishes))
}

function outcome(make: (snapshot: Snapshot, tree: Tree) => TextEdits | EditRefusal) {
  const snapshot = snapshotOf(FILES)
  const reader = createReader()
  const { tree, problems } = reader.read(snapshot, { host: null })
  if (tree === null) throw new Error(JSON.stringify(problems))
  const made = make(snapshot, tree)
  if (isRefusal(made)) return { refusal: `${made.message} → ${made.remedy}` }
  const after = editedSnapshot(snapshot, made.changes)
  const read = reader.read(after, { host: null }).tree
  const texts = Object.fromEntries(
    made.changes.map(({ path, content }) => [path, Buffer.from(content ?? []).toString()]),
  )
  const images = Object.fromEntries(
    [...(read?.leaves.values() ?? [])].flatMap((leaf) => {
      const before = tree.leaves.get(leaf.name)?.spec.image
      return before === leaf.spec.image ? [] : [[leaf.name, leaf.spec.image]]
    }),
  )
  return { texts, images, edits: made.edits, remarks: made.remarks }
}

describe('another tag', () => {
  it('is written into the leaf, whose comments and variables stay', () => {
    expect(edit({ leaf: 'web', tag: '1.5' })).toEqual({
      texts: { 'nova/web.yaml': 'generation: 1\nimage: ${registry}/web:1.5 # the web\n' },
      images: { web: 'quay.io:443/web:1.5' },
      edits: [
        {
          file: 'nova/web.yaml',
          path: ['image'],
          from: '${registry}/web:1.4',
          to: '${registry}/web:1.5',
          leaves: ['web'],
          set: null,
        },
      ],
      remarks: [],
    })
  })

  it('is added where none is written', () => {
    expect(edit({ leaf: 'bare', tag: '2' }).images).toEqual({ bare: 'docker.io/x/bare:2' })
  })

  it('takes the digest of the old one away, and says so', () => {
    const { texts, remarks } = edit({ leaf: 'pinned', tag: '2' })
    expect(texts).toEqual({ 'nova/pinned.yaml': 'generation: 1\nimage: "docker.io/x/pinned:2"\n' })
    expect(remarks?.[0]).toMatch(/pinned was pinned to sha256:abab/)
  })

  it('brings its own digest', () => {
    expect(edit({ leaf: 'pinned', tag: '2', digest: OTHER }).images).toEqual({
      pinned: `docker.io/x/pinned:2@${OTHER}`,
    })
    expect(edit({ leaf: 'web', digest: OTHER }).images).toEqual({ web: `quay.io:443/web:1.4@${OTHER}` })
  })

  it('is written into the default that the leaf has it from, which says so', () => {
    const { texts, edits, images } = edit({ leaf: 'one', tag: '2' })
    expect(texts?.['nova/set.yaml']).toContain('  image: docker.io/x/shared:2 # all\n')
    expect(edits).toMatchObject([{ set: 'nova', leaves: ['one'] }])
    expect(images).toEqual({ one: 'docker.io/x/shared:2', two: 'docker.io/x/shared:2' })
  })

  it('is written once for two leaves that share it', () => {
    expect(edit({ leaf: 'one', tag: '2' }, { leaf: 'two', tag: '2' }).edits).toMatchObject([{ leaves: ['one', 'two'] }])
    expect(edit({ leaf: 'one', tag: '2' }, { leaf: 'two', tag: '3' }).refusal).toMatch(/cannot be both/)
  })

  it('is written into the version, where it is one', () => {
    const { texts, images } = edit({ leaf: 'bb', tag: '1.1-slim' })
    expect(texts).toEqual({ 'cinder/set.yaml': 'version: "1.1"\n' })
    expect(images).toEqual({ aa: 'docker.io/x/a:1.1', bb: 'docker.io/x/b:1.1-slim' })
  })

  it('is refused where it does not fit what is written around the version', () => {
    expect(edit({ leaf: 'bb', tag: '1.1-full' }).refusal).toMatch(/1\.1-full is no such tag → name a tag like …-slim/)
  })

  it('is refused where more than one variable has a part in it', () => {
    expect(edit({ leaf: 'api', tag: '2025.2-ubuntu-noble' }).refusal).toMatch(/which of its variables is meant/)
  })

  it('is refused where the host decides', () => {
    expect(edit({ leaf: 'hosted', tag: '2' }).refusal).toMatch(/follows the variable site/)
  })

  it('is written into the variable that holds the whole image', () => {
    const { texts, images } = edit({ leaf: 'whole', tag: '2' })
    expect(texts?.['deployment.yaml']).toContain('whole: docker.io/x/whole:2}')
    expect(images).toEqual({ whole: 'docker.io/x/whole:2' })
  })

  it('reaches the ingress', () => {
    const { texts } = edit({ leaf: 'ingress', tag: '3.3-alpine' })
    expect(texts?.['deployment.yaml']).toContain('haproxy:3.3-alpine, generation: 1}')
  })

  it('is nothing where the leaf has it already', () => {
    expect(edit({ leaf: 'web', tag: '1.4' })).toMatchObject({ texts: {}, edits: [] })
    expect(edit({ leaf: 'aa', tag: '1.0' })).toMatchObject({ texts: {}, edits: [] })
    expect(edit({ leaf: 'pinned', tag: '1' })).toMatchObject({ texts: {}, edits: [], remarks: [] })
  })

  it.each(['', 'a b', '1@x', '-x', '${x}', 'a/b'])('%j is none', (tag) => {
    expect(edit({ leaf: 'web', tag }).refusal).toMatch(/is no tag/)
  })
})

describe('another image', () => {
  it('is written into the leaf', () => {
    expect(edit({ leaf: 'pinned', image: 'ghcr.io/y/z:3' }).texts).toEqual({
      'nova/pinned.yaml': 'generation: 1\nimage: "ghcr.io/y/z:3"\n',
    })
  })

  it('says that variables are no longer followed', () => {
    const { texts, remarks } = edit({ leaf: 'aa', image: 'docker.io/x/a:2' })
    expect(texts).toEqual({ 'cinder/aa.yaml': 'generation: 1\nimage: docker.io/x/a:2\n' })
    expect(remarks?.[0]).toMatch(/no longer follows/)
  })

  it('is added where it was a default, which stays', () => {
    const { texts, remarks } = edit({ leaf: 'one', image: 'docker.io/x/one:2' })
    expect(texts).toEqual({ 'nova/one.yaml': 'generation: 1\nimage: docker.io/x/one:2\n' })
    expect(remarks?.[0]).toMatch(/was a default of nova\/set.yaml/)
  })

  it('reaches the ingress', () => {
    const { texts } = edit({ leaf: 'ingress', image: 'docker.io/library/haproxy:3.3' })
    expect(texts?.['deployment.yaml']).toContain('ingress: {image: docker.io/library/haproxy:3.3, generation: 1}')
  })

  it.each(['', 'a b', '${x}', 'x/UPPER'])('%j is none', (image) => {
    expect(edit({ leaf: 'web', image }).refusal).toMatch(/is no image/)
  })
})

describe('another version', () => {
  const version = (set: string, text: string) => outcome((snapshot) => editVersion(snapshot, set, text))

  it('is written into the file of the set, in the quotes it had', () => {
    expect(version('cinder', '1.1')).toMatchObject({
      texts: { 'cinder/set.yaml': 'version: "1.1"\n' },
      images: { aa: 'docker.io/x/a:1.1', bb: 'docker.io/x/b:1.1-slim' },
      edits: [{ file: 'cinder/set.yaml', path: ['version'], from: '1.0', to: '1.1', set: 'cinder' }],
    })
  })

  it('is added to a set that has none', () => {
    expect(version('', '3').texts?.['deployment.yaml']).toMatch(/^name: shop\nformat: 1\nversion: "3"\n/)
  })

  it('is nothing where the set has it already', () => {
    expect(version('cinder', '1.0')).toMatchObject({ texts: {}, edits: [] })
  })

  it.each(['', '${x}'])('%j is none', (text) => {
    expect(version('cinder', text).refusal).toMatch(/is no version/)
  })
})

test.each([
  ['nginx', 'nginx', null, null],
  ['a/b:1', 'a/b', '1', null],
  ['r:5000/b', 'r:5000/b', null, null],
  ['r:5000/b:1@sha256:x', 'r:5000/b', '1', 'sha256:x'],
  ['${r:-a:1}/b', '${r:-a:1}/b', null, null],
  ['b:${v:-1@2}', 'b', '${v:-1@2}', null],
  ['${r}/b:${v}-${w}', '${r}/b', '${v}-${w}', null],
])('%s is taken apart and put together', (template, name, tag, digest) => {
  expect(splitImage(template)).toEqual({ name, tag, digest })
  expect(joinImage({ name, tag, digest })).toBe(template)
})
