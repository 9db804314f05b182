// Lines that are final scroll up; below them a few lines are drawn anew ten times a second. Where there is no terminal,
// only final lines are written.

import { width, withoutSteering } from '../report/columns.ts'
import type { Terminal } from './surroundings.ts'

export interface LiveScreen {
  /** Writes lines that stay. */
  settle(lines: readonly string[]): void
  /** Draws the live lines a last time or not at all, and gives the terminal back. */
  close(): void
}

const FRAME = 100
const HIDE_CURSOR = '\u001B[?25l'
const SHOW_CURSOR = '\u001B[?25h'
const CLEAR_LINE = '\u001B[K'
const CLEAR_BELOW = '\u001B[J'

/** `live`: the lines to draw for a terminal of this size. */
export function openLiveScreen(
  terminal: Terminal,
  live: (columns: number, rows: number) => readonly string[],
): LiveScreen {
  const { stream, isTerminal } = terminal
  if (!isTerminal) {
    return {
      settle: (lines) => write(lines.map((line) => `${withoutSteering(line)}\n`).join('')),
      close: () => undefined,
    }
  }
  let drawn: readonly string[] = []
  let closed = false
  const showCursor = () => write(SHOW_CURSOR)
  process.on('exit', showCursor)
  write(HIDE_CURSOR)
  const timer = setInterval(() => draw([]), FRAME)

  function write(text: string): void {
    if (text !== '') stream.write(text)
  }

  /** A terminal that became narrower has wrapped what was drawn; each of its rows is gone over. */
  function rowsDrawn(columns: number): number {
    return drawn.reduce((rows, line) => rows + Math.max(1, Math.ceil(width(line) / columns)), 0)
  }

  function draw(settled: readonly string[]): void {
    const { columns, rows } = terminal.size()
    const next = closed ? [] : live(columns, rows)
    const up = rowsDrawn(columns)
    const back = up === 0 ? '' : `\r\u001B[${up}A`
    const lines = [...settled, ...next].map((line) => `${withoutSteering(line)}${CLEAR_LINE}\n`).join('')
    write(`${back}${lines}${CLEAR_BELOW}`)
    drawn = next
  }

  return {
    settle: draw,
    close() {
      if (closed) return
      closed = true
      clearInterval(timer)
      draw([])
      showCursor()
      process.off('exit', showCursor)
    },
  }
}
