// graft approve: says that removals which wait are meant, for one commit and for what was seen to go.

import { askApprove, askStatus } from '../http/control-client.ts'
import { heldWords, type RemovalHeld } from '../plan/removal-guard.ts'
import { besidesLines } from '../report/besides-lines.ts'
import { saysYes } from './ask.ts'
import { noteRefused, withOutcome } from './apply-outcome.ts'
import { bringAbout } from './bring-about.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { takeHold } from './hold.ts'
import { Mistake, Problems } from './mistakes.ts'
import { hostFilesOf, judgeTip, openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine, openReconciler, QUIET } from './open-engine.ts'

export const approve: CommandModule = {
  configure(command) {
    command
      .description(
        'Lets a commit remove what waits for somebody to say that it is meant: more leaves than the limit allows, or all of them. It counts for this commit and for the containers that are shown; whatever else would go waits again.\nTells the daemon where one runs. Else it brings about the whole commit, as graft apply does, and says before what that is.',
      )
      .argument('[COMMIT]', 'the commit that is meant, or the start of its id; left out: the one in force')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft approve 3fa91c2', 'as graft status says it'],
          ['graft approve --yes', 'what is in force, without a question'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation)
    try {
      return (await throughDaemon(invocation, opened)) ?? (await byItself(invocation, opened))
    } finally {
      await opened.deployment.close()
    }
  },
}

/** Null where no daemon listens. */
async function throughDaemon(invocation: Invocation, { deployment }: Opened): Promise<number | null> {
  const { surroundings, output, own } = invocation
  const sockets = await socketsOf(deployment, surroundings.env)
  const status = await askDaemon(sockets, askStatus)
  if (status === null) return null
  const commit = status.commit?.id ?? null
  const held = heldFor(status.removalHeld, commit, invocation)
  if (!(await isMeant(held, commit, invocation))) return 1
  const taken = await askDaemon(sockets, (socket) => askApprove(socket, commit ?? '', held.digest))
  if (taken !== true) {
    throw new Mistake(
      taken === null ? 'the daemon ended meanwhile' : 'something else would be removed by now, so nothing was approved',
      'look at it again with graft status, and say it again',
    )
  }
  if (isSet(own, 'json')) output.printJson({ format: 1, approved: true, commit, leaves: held.names, daemon: true })
  else output.print(['the daemon removes them; graft status --watch shows it'])
  return 0
}

async function byItself(invocation: Invocation, opened: Opened): Promise<number> {
  const { surroundings, output } = invocation
  const { deployment, settings } = opened
  const host = await hostFilesOf(deployment)
  const judgement = await judgeTip(deployment, host)
  if (!reads(judgement)) {
    await noteRefused(deployment, judgement, '', output)
    throw new Problems(judgement.problems)
  }
  const { name } = judgement.tree
  const opening = await openEngine(settings, surroundings.env)
  try {
    const { hold, engine } = await takeHold(deployment, opening, {
      name,
      command: 'graft approve',
      tell: (words) => output.say([words]),
    })
    if (!hold.held) throw new Mistake(hold.because, hold.remedy)
    try {
      const wish = deployment.wish(judgement, host, false)
      const { plan } = await (await openReconciler(deployment, { ...engine, name }, QUIET)).look(wish)
      const held = heldFor(plan.removalHeld, plan.commit, invocation)
      if (!(await isMeant(held, plan.commit, invocation, besidesLines(plan, output.palette)))) return 1
      await deployment.accepted.keep(judgement.tip.id)
      const approved = { ...wish, removals: { ...wish.removals, approved: new Set(held.ids) } }
      return await withOutcome(deployment, judgement, name, output, (recorder) =>
        bringAbout(judgement, approved, engine, invocation, opened, [], recorder),
      )
    } finally {
      await hold.release()
    }
  } finally {
    opening.connection.close()
  }
}

/** What waits, for the commit that the person means. */
function heldFor(held: RemovalHeld | null, commit: string | null, { args }: Invocation): RemovalHeld {
  const [meant] = args
  if (meant !== undefined && (meant.length < 4 || commit?.startsWith(meant.toLowerCase()) !== true)) {
    throw new Mistake(
      `the commit in force is ${commit === null ? 'not known' : commit.slice(0, 7)}, and not ${meant}`,
      'see with graft status what waits, and for which commit',
    )
  }
  if (held === null) throw new Mistake('no removal waits for an approval', 'graft status shows what there is')
  return held
}

/** `besides`: what else is done with it, as lines. */
async function isMeant(
  held: RemovalHeld,
  commit: string | null,
  invocation: Invocation,
  besides: readonly string[] = [],
): Promise<boolean> {
  const { output, own } = invocation
  const { palette } = output
  if (!isSet(own, 'json')) {
    output.print([
      `${palette.bold((commit ?? '').slice(0, 7))}  ${heldWords(held)}:`,
      ...held.names.map(
        (name, at) => `  ${palette.bad('-')} ${name}  ${palette.dim((held.ids[at] ?? '').slice(0, 12))}`,
      ),
      ...besides,
    ])
  }
  const question = besides.length === 0 ? 'Remove them?' : 'Remove them, and do the rest?'
  if (await saysYes(invocation, question)) return true
  output.say(['nothing was approved'])
  return false
}
