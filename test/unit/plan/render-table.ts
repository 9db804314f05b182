// A table as lines for people: what is done, in order, and behind it what takes it back.

import type { Action, ContainerRef, Step, Table } from '../../../src/plan/step.ts'

export function renderTable(table: Table): string {
  const phase = (name: string, steps: readonly Step[]) =>
    steps.map((step, i) => `${(i === 0 ? name : '').padEnd(8)} ${renderStep(step)}`)
  return [
    `${table.id}${table.after.length === 0 ? '' : `, after ${table.after.join(', ')}`}`,
    ...phase('prepare', table.prepare),
    ...phase('commit', table.commit),
    ...phase('cleanup', table.cleanup),
  ].join('\n')
}

function renderStep({ action, undo }: Step): string {
  return undo.length === 0 ? words(action) : `${words(action).padEnd(40)} undo: ${undo.map(words).join(', ')}`
}

export function words(action: Action): string {
  switch (action.do) {
    case 'image':
      return `image ${action.image}`
    case 'restart-policy':
      return `${name(action.container)}: restart policy ${action.policy}`
    case 'rename':
      return `rename ${name(action.container)} to ${action.to.replace(/prev-[0-9a-f]{6}/, 'prev-ID6')}`
    case 'drain':
      return `drain ${name(action.container)} for ${action.milliseconds / 1000} s`
    case 'prove':
      return `prove ${name(action.container)} beside ${name(action.old)} for ${action.milliseconds / 1000} s`
    case 'mark-job-done':
      return `mark ${action.volume}`
    case 'update-limits':
      return `update ${action.fields.join(', ')} of ${name(action.container)}`
    case 'connect':
    case 'disconnect':
      return `${action.do} ${name(action.container)} ${action.network}`
    case 'tag-image':
      return `tag the image of ${action.leaf}`
    case 'create-network':
    case 'remove-network':
      return `${action.do} ${action.network}`
    case 'create-volume':
      return `${action.do} ${action.volume}`
    case 'ingress':
      return ['the ingress follows', ...action.leaves].join(' ')
    default:
      return `${action.do} ${name(action.container)}`
  }
}

function name(container: ContainerRef): string {
  return container.name.replace(/prev-[0-9a-f]{6}/, 'prev-ID6')
}
