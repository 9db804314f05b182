// What is wrong with a variable, in words with a remedy.

import type { TemplateFault } from './interpolate.ts'
import { nearest } from './nearest.ts'
import type { Scope, VariableFault } from './scope.ts'

export function faultWords(
  fault: VariableFault['fault'] | TemplateFault,
  scope: Scope,
): { message: string; remedy: string } {
  switch (fault.kind) {
    case 'unset': {
      const close = nearest(fault.name, scope.names())
      return {
        message: `nobody sets the variable ${fault.name}`,
        remedy: `${close === null ? '' : `did you mean ${close}? Or `}set it under variables, or declare it under host_variables in deployment.yaml`,
      }
    }
    case 'required':
      return {
        message: `the variable ${fault.name} is required here${fault.message === '' ? '' : `: ${fault.message}`}`,
        remedy: 'set it under variables, or declare it under host_variables in deployment.yaml',
      }
    case 'invalid':
      return {
        message: `${fault.text} is no variable`,
        remedy: 'write ${NAME}, ${NAME:-default} or ${NAME:?message}; a $ that is meant as such is written $$',
      }
    case 'too-long':
      return {
        message: 'the text is longer than 64 KiB once its variables are filled in',
        remedy: 'look for variables that repeat each other, or put the text into a file',
      }
    case 'cycle':
      return {
        message: `variables go round in a circle: ${fault.through.join(' → ')}`,
        remedy: 'give one of them a value of its own',
      }
  }
}
