// What a step does, as the phase that a person sees while it is done.

import type { Action } from '../plan/step.ts'

/** Null for a step that is over in an instant and says nothing. */
export function phaseOf(action: Action, undo: boolean): string | null {
  if (undo) return action.do === 'start' || action.do === 'restart-policy' ? 'the old one comes back' : 'takes it back'
  switch (action.do) {
    case 'image':
      return 'image'
    case 'create':
    case 'put-files':
    case 'ingress-config':
      return 'create'
    case 'start':
      return 'start'
    case 'unpause':
      return 'unpause'
    case 'stop':
    case 'keep-down':
      return 'stop'
    case 'gate':
      return 'gate'
    case 'still-up':
    case 'confirm-unhealthy':
      return 'looks once more'
    case 'wait-job':
      return 'runs'
    case 'ingress':
    case 'rename':
      return 'switch'
    case 'prove':
    case 'drain':
      return 'drain'
    case 'remove':
      return 'remove'
    case 'update-limits':
      return 'limits'
    case 'connect':
    case 'disconnect':
      return 'network'
    case 'create-network':
    case 'create-volume':
      return 'create'
    case 'remove-network':
      return 'remove'
    case 'mark-job-done':
    case 'restart-policy':
    case 'discard':
    case 'keep-failed':
    case 'tag-image':
      return null
  }
}

/** The leaf an action works on; null for networks and volumes. */
export function leafOf(action: Action): string | null {
  if ('leaf' in action) return action.leaf
  return 'container' in action ? action.container.leaf : null
}
