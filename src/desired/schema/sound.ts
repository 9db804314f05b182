// What no file may hold whatever it means: values that are not plain data, reserved signs, and more than a file needs.

import { stringify } from 'yaml'

import { containsSymbol } from '../symbolic.ts'
import type { Issue } from './issue.ts'
import { cut, describe, place } from './show.ts'

const DEEPEST = 40
const MOST_VALUES = 50_000

type Path = (string | number)[]

/**
 * Everything unsound in `raw`; reading goes on only where nothing is. Unless `symbolic`, the sign that opens a symbol is
 * refused: a text that looks like one would have the digest of another spec.
 */
export function unsound(raw: unknown, options: { symbolic: boolean }): Issue[] {
  const issues: Issue[] = []
  let values = 0
  visit(raw, [])
  return issues

  function visit(value: unknown, path: Path): void {
    values++
    if (values > MOST_VALUES) {
      if (values === MOST_VALUES + 1)
        add(path, 'value', `more than ${MOST_VALUES} values in one file`, 'write a smaller file')
    } else if (path.length > DEEPEST) {
      add(path, 'value', `nested more than ${DEEPEST} deep`, 'write it flatter')
    } else if (typeof value === 'string') visitText(value, path, 'value')
    else if (typeof value === 'number') {
      if (!Number.isFinite(value)) {
        add(path, 'value', `${stringify(value).trim()} is no number that can be used`, 'write a finite number')
      }
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length && values <= MOST_VALUES; index++) visit(value[index], [...path, index])
    } else if (typeof value === 'object' && value !== null) visitMapping(value, path)
    else if (value !== null && typeof value !== 'boolean') {
      add(path, 'value', `${describe(value)} is no plain value`, 'write a text, a number, a list or a mapping')
    }
  }

  function visitMapping(value: object, path: Path): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      add(path, 'value', 'this is no plain mapping', 'write keys that are texts, and plain values')
      return
    }
    for (const [key, item] of Object.entries(value)) {
      if (values > MOST_VALUES) return
      const below = [...path, key]
      if (key === '__proto__') add(below, 'key', 'a key cannot be called __proto__', 'choose another name')
      else visitText(key, below, 'key')
      visit(item, below)
    }
  }

  function visitText(text: string, path: Path, at: Issue['at']): void {
    if (text.includes('\0')) add(path, at, 'a text cannot hold a zero byte', 'leave it out')
    // Written as UTF-8 it becomes another text, so that what runs would never be what was asked for.
    if (/\p{Surrogate}/u.test(text)) add(path, at, 'a text cannot hold half a character', 'write the whole one')
    if (!options.symbolic && containsSymbol(text)) {
      add(path, at, `the sign \u27e6 in "${cut(text)}" is reserved`, 'write it another way')
    }
  }

  function add(path: Path, at: Issue['at'], message: string, remedy: string): void {
    const where = place(path)
    issues.push({ path, at, message: where === '' ? message : `${where}: ${message}`, remedy })
  }
}
