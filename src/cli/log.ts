// The daemon's log: JSON lines, or readable lines where somebody watches on a terminal.

import { Writable } from 'node:stream'

import { pino, type Logger } from 'pino'

import type { Settings } from '../daemon/settings.ts'
import { withoutSteering } from '../report/columns.ts'
import type { Output } from './output.ts'

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** `event` names what happened; the rest are its facts. */
  readonly fields: { readonly event: string } & Readonly<Record<string, unknown>>
  readonly message: string
}

export async function openLog({ stdout, palette }: Output, level: Settings['log_level']): Promise<Logger> {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (!stdout.isTerminal) return pino(options, stdout.stream)
  const { default: pretty } = await import('pino-pretty')
  const colorize = palette.bold('x') !== 'x'
  // The message says it all on a terminal; a multi-line one (problems, a log's tail) keeps its lines.
  const readable = pretty({
    colorize,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
    ignore: 'pid',
    destination: new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        stdout.stream.write(withoutSteering(String(text)), () => done())
      },
    }),
  })
  return pino(options, readable)
}
