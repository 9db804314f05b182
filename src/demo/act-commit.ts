// What every later act begins with: a change in the clone, shown as Git and graft show it, committed and pushed.

import { padEnd } from '../report/columns.ts'
import type { DemoDeployment } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'
import { type SwapTelling, tellSwaps } from './swap-telling.ts'

export interface Pushed {
  readonly commit: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** How many events the daemon had told before. */
  readonly seen: number
}

/** What changed since `base`, what graft makes of it, and the push. */
export async function showAndPush(
  stage: DemoStage,
  { git, graft, place, events }: DemoDeployment,
  base: string,
): Promise<Pushed> {
  const { palette } = stage
  const commit = await git.git('rev-parse', 'HEAD')
  stage.say(`  ${palette.dim('$')} git diff ${base.slice(0, 7)}`)
  for (const line of await changedLines(await git.git('diff', '--unified=0', base, 'HEAD')))
    stage.say(`    ${paintDiff(line, stage)}`)
  stage.say('', `  ${palette.dim('$')} graft plan --offline`)
  const plan = await graft('plan', '--offline', '--against', base, '--repo', place.work)
  stage.say(
    ...plan
      .split('\n')
      .slice(3)
      .filter((line) => line.trim() !== '' && !/\d+ as declared$/.test(uncoloured(line).trimEnd()))
      .map((line) => `    ${line.replaceAll('quay.io/openstack.kolla/', '…/')}`),
  )
  await git.push()
  const pushed = { commit, at: Date.now(), seen: events.length }
  stage.say('', `  ${palette.dim('$')} git push`)
  return pushed
}

/** File names and changed lines, without Git's own header lines. */
async function changedLines(diff: string): Promise<readonly string[]> {
  return diff.split('\n').flatMap((line) => {
    if (line.startsWith('+++ b/')) return [line.slice(6)]
    return /^[-+](?![-+]{2} )/.test(line) ? [`  ${line}`] : []
  })
}

function paintDiff(line: string, { palette }: DemoStage): string {
  if (line.startsWith('  +')) return palette.good(line)
  return line.startsWith('  -') ? palette.bad(line) : palette.bold(line)
}

function uncoloured(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001B\[[0-9;]*m/g, '')
}

/** Tells what the daemon does to these leaves, as it comes. Call it again and again. */
export function follower(
  stage: DemoStage,
  deployment: DemoDeployment,
  pushed: Pushed,
  leaves: readonly string[],
): () => Promise<void> {
  const jobs = new Set(leaves.filter((leaf) => deployment.tree.leaves.get(leaf)?.kind === 'job'))
  const telling: SwapTelling = tellSwaps(leaves, jobs, pushed.at, stage.palette)
  let told = pushed.seen
  return async () => {
    await deployment.follow()
    for (; told < deployment.events.length; told++) {
      const event = deployment.events[told]
      const line = event === undefined ? null : telling.take(event)
      if (line !== null) stage.say(line)
      if (event?.event === 'failed')
        stage.say(...event.log.map((text) => `  ${padEnd('', 8)}    ${stage.palette.dim(`│ ${text}`)}`))
    }
  }
}
