// A swap in a few words: its gap, how the old container was let go, and what played clients lost.

import type { Availability, Drain } from '../apply/outcome.ts'
import { duration } from './durations.ts'
import type { LastSwap } from './status.ts'

/** `gap 0.6 s, 0 of 1,203 lost`; empty where there is nothing to tell. */
export function swapText({ gap, drain, availability }: LastSwap): string {
  const parts = [
    ...(gap === null ? [] : [gapText(gap)]),
    ...(availability === null ? [] : [lostText(availability)]),
    ...(drain === null || drain.how !== 'time' ? [] : [drainText(drain)]),
  ]
  return parts.join(', ')
}

export function gapText(milliseconds: number): string {
  return milliseconds === 0 ? 'no gap' : `gap ${seconds(milliseconds)}`
}

/** `0 of 1,203 lost`. */
export function lostText({ tried, lost }: Pick<Availability, 'tried' | 'lost'>): string {
  return `${grouped(lost)} of ${grouped(tried)} lost`
}

/** `drained in 0.8 s`; where the time was over first, what was cut. */
export function drainText({ how, milliseconds, open }: Drain): string {
  switch (how) {
    case 'idle':
      return `drained in ${seconds(milliseconds)}`
    case 'time':
      return `drain over after ${seconds(milliseconds)}${open === null ? '' : `, ${grouped(open)} still open`}`
    case 'closing':
      return 'drain cut short'
  }
}

/** Tenths of seconds, so that gaps can be compared at a glance. */
export function seconds(milliseconds: number): string {
  return milliseconds < 9_950
    ? `${(milliseconds / 1000).toFixed(milliseconds < 100 ? 2 : 1)} s`
    : duration(milliseconds)
}

/** `1,203`. */
export function grouped(amount: number): string {
  return String(Math.round(amount)).replace(/\B(?=(\d{3})+$)/g, ',')
}
