// What the demo shows itself on: lines that stay, a few that are drawn anew, and waiting that ends when the person says.

import { setTimeout as sleep } from 'node:timers/promises'

import { openLiveScreen } from '../cli/live-screen.ts'
import type { Terminal } from '../cli/surroundings.ts'
import { cut, plain } from '../report/columns.ts'
import type { Palette } from '../report/palette.ts'
import { DemoFailure, DemoStopped } from './demo-failure.ts'

export type Draw = (now: number, columns: number, rows: number) => readonly string[]

export interface DemoStage {
  readonly palette: Palette
  readonly isTerminal: boolean
  readonly signal: AbortSignal
  /** Of the terminal; a wide one where there is none. */
  columns(): number
  /** Lines that stay. */
  say(...lines: readonly string[]): void
  /** An act begins. */
  act(title: string): void
  /** Something takes a while: shown until the next lines come. */
  busy(text: string): void
  /** Drawn below what was said until something else is; null: nothing. */
  live(draw: Draw | null): void
  /**
   * Looks 25 times a second until there is something. Throws DemoFailure with `what` after `patience` milliseconds, and
   * DemoStopped when the person stops the demo.
   */
  until<Found>(what: string, patience: number, look: () => Found | null | Promise<Found | null>): Promise<Found>
  close(): void
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export function openStage(terminal: Terminal, palette: Palette, signal: AbortSignal): DemoStage {
  let draw: Draw | null = null
  let acts = 0
  const screen = openLiveScreen(terminal, (columns, rows) => draw?.(Date.now(), columns, rows) ?? [])
  return {
    palette,
    isTerminal: terminal.isTerminal,
    signal,
    columns: () => (terminal.isTerminal ? terminal.size().columns : 160),
    say: (...lines) => screen.settle(lines),
    act(title) {
      acts++
      screen.settle(['', `${palette.accent(palette.bold(`${acts}  ${title}`))}`, ''])
    },
    busy(text) {
      draw = (now, columns) => [
        cut(
          `  ${palette.accent(SPINNER[Math.floor(now / 100) % SPINNER.length] ?? '')} ${palette.dim(plain(text))}`,
          columns - 1,
        ),
      ]
      if (!terminal.isTerminal) screen.settle([`  ${plain(text)}`])
    },
    live(next) {
      draw = next
    },
    async until(what, patience, look) {
      const deadline = performance.now() + patience
      for (;;) {
        if (signal.aborted) throw new DemoStopped()
        const found = await look()
        if (found !== null) return found
        if (performance.now() > deadline)
          throw new DemoFailure(`${what}, which did not happen within ${Math.round(patience / 1000)} s`)
        await sleep(40)
      }
    },
    close() {
      draw = null
      screen.close()
    },
  }
}
