// Outputs that are cut: no half of a secret is left of what is shown.

import { describe, expect, it } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import { createRedactor } from '../../../src/desired/redaction.ts'
import { SecretValue } from '../../../src/desired/secret-value.ts'
import { tail } from '../../../src/engine/exec.ts'
import { logLineJoiner } from '../../../src/engine/log-lines.ts'
import { redactingEngine } from '../../../src/engine/redacting.ts'

const SECRET = 'hunter2-the-db-password'

describe('the output of a check', () => {
  it('loses the line that the limit cuts through', () => {
    const output = tail(64)
    output.add(Buffer.from(`first\nPASSWORD=${SECRET}\n`))
    output.add(Buffer.from(`${'x'.repeat(40)}\nlast`))
    expect(output.text()).toBe(`…${'x'.repeat(40)}\nlast`)
    const line = tail(16)
    line.add(Buffer.from(SECRET))
    expect(line.text()).toBe('…')
    const short = tail(64)
    short.add(Buffer.from('all of it'))
    expect(short.text()).toBe('all of it')
  })

  it('is cleaned before it is cut to what is shown', async () => {
    const redactor = createRedactor()
    redactor.learn([new SecretValue(Buffer.from(SECRET))])
    const rest = 'y'.repeat(4096 - 10)
    const exec = () => Promise.resolve({ healthy: false, output: `exit 3: ${'a'.repeat(100)} ${SECRET}${rest}` })
    const engine = redactingEngine({ exec } as unknown as Engine, (text) => redactor.clean(text))
    const { output } = await engine.exec('web', ['env'], 1_000)
    expect(output).toMatch(/^exit 3: …/)
    expect(output).not.toContain('password')
    expect(output.length).toBeLessThan(4_200)
    expect(output.endsWith(rest)).toBe(true)
  })
})

describe('a log line without an end', () => {
  it('is given in parts that cut no word, and nothing of it is lost', () => {
    const joiner = logLineJoiner(false)
    const time = '2030-01-01T00:00:00.000000000Z '
    const frame = (text: string) => joiner.add({ stream: 'stdout', bytes: Buffer.from(`${time}${text}`) })
    const half = 1024 * 1024 - 10
    expect(frame(`${'x'.repeat(half)} ${SECRET.slice(0, 9)}`)).toEqual([])
    const [first] = frame(SECRET.slice(9, 15))
    expect(first?.text).toBe('x'.repeat(half))
    const rest = [...frame(`${SECRET.slice(15)} end`), ...joiner.end()]
    expect(rest.map(({ text }) => text)).toEqual([` ${SECRET} end`])
    expect(rest[0]?.time).toBe(Date.UTC(2030, 0, 1))
  })
})
