// The last act: Git's log with the generations it holds, what each act took, and what graft status says.

import { align, cut } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import { VICTIM } from './act-refusal.ts'
import { SERVICE } from './act-upgrade.ts'
import { claim } from './demo-failure.ts'
import type { DemoDeployment } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'
import type { Told } from './story.ts'
import type { Swapped } from './swap-watch.ts'

const FILES = [`openstack-interface/${SERVICE}.yaml`, `openstack-control/nova-controller/${VICTIM}.yaml`]

export async function showEnd(stage: DemoStage, deployment: DemoDeployment, told: Told): Promise<void> {
  const { palette } = stage
  stage.say(
    `  ${palette.dim('$')} git log --oneline ${palette.dim('(with the generations that each commit holds)')}`,
    ...(await logLines(deployment, stage)),
    '',
  )
  stage.say(...tableLines(told, stage), '')
  const status = (await deployment.graft('status')).split('\n')
  const shown = status.filter((line) => /^\s*(NAME|nova-api|nova-conductor|nova-scheduler) /.test(uncoloured(line)))
  stage.say(
    `  ${palette.dim('$')} graft status ${palette.dim('(the lines on Nova, and the last)')}`,
    ...shown.map((line) => cut(`    ${line}`, stage.columns())),
    `    ${status.at(-1) ?? ''}`,
  )
  claim(
    uncoloured(status.at(-1) ?? '') === `${deployment.tree.leaves.size} in sync`,
    `graft status should say that all is in sync and says: ${status.at(-1) ?? ''}`,
  )
}

async function logLines({ git }: DemoDeployment, { palette }: DemoStage): Promise<string[]> {
  const commits = (await git.git('log', '--format=%H %s')).split('\n')
  const rows: string[][] = []
  for (const line of commits) {
    const id = line.slice(0, 40)
    const generations: string[] = []
    for (const file of FILES)
      generations.push(/^generation: (\d+)/m.exec(await git.git('show', `${id}:${file}`))?.[1] ?? '')
    rows.push([
      `    ${palette.changed(id.slice(0, 7))}`,
      cut(line.slice(41), 44),
      ...[SERVICE, VICTIM].map((leaf, index) => palette.dim(`${leaf} ${palette.bold(generations[index] ?? '')}`)),
    ])
  }
  return align(rows)
}

function tableLines({ launch, upgrade, refusal, revert }: Told, { palette }: DemoStage): string[] {
  const head = ['', 'push to live', 'gate', 'requests', 'lost', 'longest', 'lookups repeated'].map(palette.dim)
  const swap = (what: string, { pushToLive, gate, requests, lost, longest, missedLookups }: Swapped): string[] => [
    what,
    palette.bold(duration(pushToLive)),
    duration(gate),
    requests.toLocaleString('en'),
    lost === 0 ? palette.good('0') : palette.bad(String(lost)),
    duration(longest),
    String(missedLookups),
  ]
  return [
    ...align([
      [`  launch of ${launch.leaves} leaves`, palette.bold(duration(launch.took))],
      ['  bad release refused', palette.bold(duration(refusal.took)), `${refusal.reason}; generation 1 ran on`],
    ]),
    '',
    ...align([head, swap(`  ${SERVICE} 1 → 2`, upgrade), swap(`  ${SERVICE} 2 → 1`, revert)]),
  ]
}

function uncoloured(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001B\[[0-9;]*m/g, '')
}
