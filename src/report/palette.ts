// The colours of everything that is printed. A palette without colours gives the same text, plain.

import pc from 'picocolors'

export type Paint = (text: string) => string

export interface Palette {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly changed: Paint
  readonly waiting: Paint
  readonly accent: Paint
  /** White on red, for what must not be overlooked. */
  readonly alarm: Paint
}

export function createPalette(colours: boolean): Palette {
  const { bold, dim, green, red, yellow, cyan, magenta, bgRed, white } = pc.createColors(colours)
  return {
    bold,
    dim,
    good: green,
    bad: red,
    changed: yellow,
    waiting: magenta,
    accent: cyan,
    alarm: (text) => bold(white(bgRed(text))),
  }
}

/**
 * Whether to colour: `--no-color` says no; then NO_COLOR (https://no-color.org: any value that is not empty), then
 * FORCE_COLOR (`0` and `false` say no), then whether the output is a terminal that can.
 */
export function wantsColour(
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
  flag: boolean | undefined,
): boolean {
  if (flag === false) return false
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return terminal && env['TERM'] !== 'dumb'
}
