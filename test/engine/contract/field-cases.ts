// For each key of a spec what to set, which fields that changes, and where the engine's own inspection shows it.
// The type makes the table complete: a key that is added to `Spec` does not compile before it has a case.

import type { Spec } from '../../../src/desired/spec.ts'
import type { FieldCase } from './field-case.ts'
import { LIMIT_CASES } from './limit-cases.ts'
import { PRIVILEGE_CASES } from './privilege-cases.ts'
import { PROCESS_CASES } from './process-cases.ts'
import { SURROUNDINGS_CASES } from './surroundings-cases.ts'

export const FIELD_CASES: Readonly<Record<keyof Spec, readonly FieldCase[]>> = {
  ...PROCESS_CASES,
  ...SURROUNDINGS_CASES,
  ...PRIVILEGE_CASES,
  ...LIMIT_CASES,
}
