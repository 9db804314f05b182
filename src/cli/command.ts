// What each command's file provides, and what it is given when it runs.

import type { Command } from 'commander'

import type { Output } from './output.ts'
import type { Surroundings } from './surroundings.ts'

export interface CommandModule {
  /** Adds arguments, options and examples. */
  configure(command: Command): void
  /** Resolves to the exit code. */
  run(invocation: Invocation): Promise<number>
}

export interface Invocation {
  readonly surroundings: Surroundings
  readonly output: Output
  /** Options that all commands share, as given. */
  readonly shared: Given
  /** The command's own options, as given. */
  readonly own: Given
  readonly args: readonly string[]
}

export type Given = Readonly<Record<string, unknown>>

export function isSet(given: Given, name: string): boolean {
  return given[name] === true
}

export function textOf(given: Given, name: string): string | undefined {
  const value = given[name]
  return typeof value === 'string' ? value : undefined
}

/** `  graft plan --worktree    what is not committed yet`: examples for a command's help. */
export function examples(rows: readonly (readonly [command: string, what: string])[]): string {
  const widest = Math.max(...rows.map(([command]) => command.length))
  return `\nExamples:\n${rows.map(([command, what]) => `  ${command.padEnd(widest)}   ${what}`).join('\n')}`
}
