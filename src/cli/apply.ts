// graft apply: brings what runs into agreement with a commit once, with live progress.

import { askConfirmRemovals } from '../http/control-client.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import type { Accepted } from '../daemon/open-deployment.ts'
import { problemLines } from '../report/problem-lines.ts'
import { problemsJson } from '../report/json.ts'
import { noteRefused, withOutcome } from './apply-outcome.ts'
import { bringAbout } from './bring-about.ts'
import { takeHold } from './hold.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, judgeTip, openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine } from './open-engine.ts'
import { planWithEngine } from './plan.ts'

export const applyCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Makes what runs agree with the last commit, once, and shows how it goes. Files that are not committed do not count.\nExit 0: all is in sync, 1: something failed, was refused or is held.',
      )
      .option('--confirm-removals', 'remove leaves that are gone, however many')
      .option('--dry-run', 'only show what would be done, as graft plan does')
      .option('--json', 'print JSON at the end')
      .addHelpText(
        'after',
        examples([
          ['graft apply', 'the last commit of the repository around this folder'],
          ['graft apply --dry-run', 'look first'],
          ['graft apply --ref v12', 'a tag'],
          ['graft apply --measure', 'play clients in every swap, and count what they lose'],
        ]),
      )
  },
  async run(invocation) {
    const { surroundings, own, output } = invocation
    if (isSet(own, 'dryRun')) return planWithEngine(invocation)
    const opened = await openForCommand(invocation)
    const { deployment, settings, place } = opened
    try {
      const host = await hostFilesOf(deployment)
      const judgement = await judgeTip(deployment, host)
      if (!reads(judgement)) {
        if (isSet(own, 'json')) output.printJson(problemsJson(judgement.problems))
        else
          output.print([
            ...problemLines(judgement.problems, { palette: output.palette, place }),
            'Nothing was changed.',
          ])
        const before = await deployment.lastGood(judgement.tip, host)
        await noteRefused(deployment, judgement, before?.tree.name ?? '', output)
        return 1
      }
      const opening = await openEngine(settings, surroundings.env)
      try {
        const { hold, engine } = await takeHold(deployment, opening, {
          name: judgement.tree.name,
          command: 'graft apply',
          tell: (words) => output.say([words]),
        })
        if (!hold.held) {
          if (isSet(own, 'confirmRemovals')) return await confirmThroughDaemon(judgement, invocation, opened, hold)
          throw new Mistake(hold.because, hold.remedy)
        }
        try {
          await deployment.accepted.keep(judgement.tip.id)
          const wish = deployment.wish(judgement, host, isSet(own, 'confirmRemovals'))
          return await withOutcome(deployment, judgement, judgement.tree.name, output, (recorder) =>
            bringAbout(judgement, wish, engine, invocation, opened, [], recorder),
          )
        } finally {
          await hold.release()
        }
      } finally {
        opening.connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}

/** A daemon does the removing, because it holds the deployment; it takes the word for the commit it has in force. */
async function confirmThroughDaemon(
  { commit, tree }: Accepted,
  { surroundings, output, own }: Invocation,
  { deployment }: Opened,
  hold: { readonly because: string; readonly remedy: string },
): Promise<number> {
  const sockets = await socketsOf(deployment, surroundings.env)
  const id = commit?.id ?? ''
  const confirmed = await askDaemon(sockets, (socket) => askConfirmRemovals(socket, id))
  if (confirmed === null) throw new Mistake(hold.because, hold.remedy)
  if (!confirmed) {
    throw new Mistake(
      `the daemon has another commit of ${tree.name} in force than ${id.slice(0, 7)}`,
      'wait until graft status shows this commit, then say it again',
    )
  }
  if (isSet(own, 'json')) output.printJson({ format: 1, confirmed: true, commit: id })
  else output.print([`the daemon removes what ${id.slice(0, 7)} no longer declares; graft status --watch shows it`])
  return 0
}
