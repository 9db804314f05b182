// What lies on the host or comes back from a repository besides its files: settings, policy, the host's own values, notes
// that somebody else wrote, files of secrets.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'

import { readHostFiles } from '../../src/daemon/host-files.ts'
import { limitsSchema } from '../../src/daemon/limit-settings.ts'
import { settingsSchema } from '../../src/daemon/settings.ts'
import { parseEnvironmentFile } from '../../src/desired/dotenv.ts'
import { parsePolicy } from '../../src/desired/policy.ts'
import { parseSops } from '../../src/desired/sops/parse-sops.ts'
import { outcomesIn } from '../../src/report/outcome-text.ts'
import { mergeNotes, noteWith, parseNote, renderNote } from '../../src/repository/note-text.ts'
import { inputTable, runs } from './input-table.ts'
import { anything, yamlText } from './random-values.ts'
import { expectWords, judgeSafely, readSafely, snapshotOf } from './read-files.ts'

const { row } = inputTable('Host files, notes, secrets')
let state = ''
beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'graft-host-'))
})
afterAll(() => rmSync(state, { recursive: true }))

row(
  'random policies, and random leaves before them',
  () => {
    const count = runs(150, 3_000)
    let read = 0
    fc.assert(
      fc.property(anything.policy, anything.leaf, (given, leaf) => {
        const { policy, problems } = parsePolicy(JSON.stringify(given), 'policy.yaml')
        expectWords(problems)
        expect(policy === null).toBe(problems.length > 0)
        if (policy === null) return
        read += 1
        judgeSafely(
          readSafely(snapshotOf({ 'deployment.yaml': 'name: a\nformat: 1\n', 'web.yaml': JSON.stringify(leaf) })),
          policy,
        )
      }),
      { numRuns: count },
    )
    return `${count} policies, of which ${read} read`
  },
  600_000,
)

row('random texts as a policy', () => {
  const count = runs(200, 5_000)
  fc.assert(
    fc.property(fc.oneof(yamlText, fc.string({ unit: 'binary' })), (text) =>
      expectWords(parsePolicy(text, 'p').problems),
    ),
    { numRuns: count },
  )
  return `${count} read`
})

row('the host’s own values: bombs, depths, nonsense', async () => {
  const texts = [
    'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]',
    `a: ${'['.repeat(20_000)}`,
    '__proto__: {polluted: 1}',
    '- a',
    'a: {b: c}',
    'a: !!binary AAAA',
    '\0',
    'a: 1\na: 2',
    '"',
    'a: .nan',
    '? [x]\n: y',
  ]
  const settings = settingsSchema.parse({})
  const said = new Set<string>()
  for (const text of texts) {
    writeFileSync(join(state, 'host.yaml'), text)
    const { problems, variables } = await readHostFiles(settings, state)
    expectWords(problems)
    for (const value of variables.values()) expect(typeof value).toBe('string')
    for (const { message } of problems) said.add(message)
  }
  rmSync(join(state, 'host.yaml'))
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  return [...said].join('; ')
})

row('random settings', () => {
  const count = runs(300, 10_000)
  fc.assert(
    fc.property(anything.settings, (given) => void settingsSchema.safeParse(given)),
    { numRuns: count },
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(limitsSchema.shape)), anything.value), (given) => {
      const { data } = limitsSchema.safeParse(given)
      for (const limit of Object.values(data ?? {})) expect(Number.isSafeInteger(limit) && limit >= 0).toBe(true)
    }),
    { numRuns: count },
  )
  return `${2 * count} read`
})

row('notes that somebody else wrote', () => {
  const count = runs(500, 10_000)
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record({
        host: fc.oneof(fc.constant('alpha'), fc.anything()),
        deployment: fc.oneof(fc.constant('shop'), fc.anything()),
        at: fc.oneof(fc.nat(), fc.anything()),
        leaves: fc.anything(),
        commit: fc.anything(),
        result: fc.oneof(fc.constant('deployed'), fc.anything()),
      })
      .map((value) => JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 1 : inner)) ?? ''),
    fc.constant('shop on alpha: deployed'),
    fc.constant(''),
  )
  const note = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(note, note, (one, other) => {
      const read = parseNote(one)
      expect(
        parseNote(renderNote(read))
          .entries.map(({ name }) => name)
          .toSorted(),
      ).toEqual(read.entries.map(({ name }) => name).toSorted())
      mergeNotes(one, other)
      noteWith(one, [{ name: 'a on b', at: 1, words: 'x', data: '{}' }])
      outcomesIn(one)
    }),
    { numRuns: count },
  )
  return `${count} read, merged and written`
})

row(
  'a note of 5 MB',
  () => {
    const text = `{"host":"a","deployment":"b","at":1}\n\n${'a on b: x\n\n'.repeat(100_000)}${'{"host":"h","deployment":"d","at":1}\n'.repeat(20_000)}`
    const begun = process.cpuUsage()
    const { entries } = parseNote(text)
    const { user } = process.cpuUsage(begun)
    expect(user / 1000).toBeLessThan(10_000)
    return `${entries.length} entries in ${Math.round(user / 1000)} ms`
  },
  120_000,
)

row('environment files', () => {
  const count = runs(300, 10_000)
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom('compose' as const, 'raw' as const),
      (text, format) => {
        const { faults, real } = parseEnvironmentFile(text, format, () => undefined as never)
        for (const { line } of faults) expect(line).toBeGreaterThan(0)
        for (const [key, value] of real) expect(typeof key + typeof value).toBe('stringstring')
      },
    ),
    { numRuns: count },
  )
  return `${count} read`
})

row(
  'files of secrets that are no SOPS, or SOPS of nonsense',
  () => {
    const count = runs(200, 5_000)
    const paths = ['a.sops.yaml', 'a.sops.json', 'a.sops.env', 'a.sops.ini', 'a.bin']
    const value = fc.oneof(
      anything.value,
      fc.constantFrom(
        'ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]',
        'ENC[AES256_GCM,data:,iv:,tag:,type:]',
        'ENC[',
      ),
    )
    const sops = fc.record(
      {
        mac: value,
        lastmodified: value,
        age: fc.oneof(value, fc.array(fc.record({ recipient: value, enc: value }))),
        version: value,
        encrypted_regex: fc.oneof(value, fc.constant('(a+)+$')),
        key_groups: value,
        pgp: value,
      },
      { requiredKeys: [] },
    )
    let faults = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.oneof(
          sops.chain((one) => fc.record({ db: value, sops: fc.constant(one) })),
          fc.string(),
        ),
        (path, given) => {
          const result = parseSops(path, Buffer.from(typeof given === 'string' ? given : JSON.stringify(given)))
          if ('message' in result) {
            faults += 1
            expect(result.message).not.toMatch(/Cannot read|undefined|is not a function/)
          }
        },
      ),
      { numRuns: count },
    )
    return `${count} read, ${faults} refused in words`
  },
  300_000,
)
