// Where a command's lines go: what was asked for to stdout, everything said about it to stderr.

import { steadyJson, withoutSteering } from '../report/columns.ts'
import { createPalette, wantsColour, type Palette } from '../report/palette.ts'
import type { Surroundings, Terminal } from './surroundings.ts'

export interface Output {
  readonly stdout: Terminal
  readonly stderr: Terminal
  /** For what goes to stdout. */
  readonly palette: Palette
  /** For what goes to stderr. */
  readonly errorPalette: Palette
  print(lines: readonly string[]): void
  printJson(data: unknown): void
  say(lines: readonly string[]): void
}

/** `colour`: false where `--no-color` was given. */
export function createOutput({ stdout, stderr, env }: Surroundings, colour: boolean | undefined): Output {
  const write = ({ stream }: Terminal, lines: readonly string[]) => {
    if (lines.length > 0) stream.write(`${withoutSteering(lines.join('\n'))}\n`)
  }
  return {
    stdout,
    stderr,
    palette: createPalette(wantsColour(env, stdout.isTerminal, colour)),
    errorPalette: createPalette(wantsColour(env, stderr.isTerminal, colour)),
    print: (lines) => write(stdout, lines),
    printJson: (data) => void stdout.stream.write(`${steadyJson(JSON.stringify(data, null, 2))}\n`),
    say: (lines) => write(stderr, lines),
  }
}
