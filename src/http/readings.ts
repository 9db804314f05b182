// How many requests are read at a time: together all the memory that a flood can take. Strangers leave room for who has
// proven a webhook lately, and one stranger for others. Pure.

import { networkOf } from './rate-limit.ts'

export interface Readings {
  /** Whether there is room for one more of this address; each that began has to end. */
  begin(address: string, isProven: boolean): boolean
  end(address: string): void
}

const AT_ONCE = 16
/** Of these, strangers together have at most this many, and one of them at most that many. */
const OF_STRANGERS = 12
const OF_ONE = 4

export function createReadings(): Readings {
  const reading = new Map<string, number>()
  let all = 0
  return {
    begin(address, isProven) {
      const key = networkOf(address)
      const own = reading.get(key) ?? 0
      if (all >= (isProven ? AT_ONCE : OF_STRANGERS) || (!isProven && own >= OF_ONE)) return false
      reading.set(key, own + 1)
      all += 1
      return true
    },
    end(address) {
      const key = networkOf(address)
      const left = (reading.get(key) ?? 0) - 1
      if (left > 0) reading.set(key, left)
      else reading.delete(key)
      all -= 1
    },
  }
}
