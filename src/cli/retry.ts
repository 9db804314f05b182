// graft retry: forgets that a generation failed, so that the next turn tries it again.

import { nearest } from '../desired/nearest.ts'
import { askRetry } from '../http/control-client.ts'
import { failedName } from '../plan/names.ts'
import { examples, isSet, type CommandModule } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, newestReadable, openForCommand } from './open-command.ts'
import { openEngine } from './open-engine.ts'

export const retryCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Tries a leaf again whose last generation failed or that waits after a fault: removes NAME.failed and its log, and wakes the daemon where one runs.',
      )
      .argument('<NAME>', 'the leaf')
      .option('--json', 'print JSON')
      .addHelpText('after', examples([['graft retry nova-api', '']]))
  },
  async run(invocation) {
    const { surroundings, output, own } = invocation
    const [name = ''] = invocation.args
    const { deployment, settings } = await openForCommand(invocation)
    try {
      const known = await newestReadable(deployment, await hostFilesOf(deployment))
      if (known === null)
        throw new Mistake(
          'no commit of this repository reads, so it is not known what is deployed',
          'see what is wrong with graft validate',
        )
      const { tree } = known
      if (!tree.leaves.has(name)) {
        const close = nearest(name, tree.leaves.keys())
        throw new Mistake(
          `${tree.name} has no leaf ${name}`,
          close === null ? 'graft status shows the leaves there are' : `did you mean ${close}?`,
        )
      }
      const { connection, engine } = await openEngine(settings, surroundings.env)
      try {
        const failed = await engine.inspect(failedName(tree.prefix, name))
        const isOurs = failed?.labels.deployment === tree.name && failed.labels.leaf === name
        if (failed !== null && isOurs) await engine.remove(failed.id)
        const sockets = await socketsOf(deployment, surroundings.env)
        const woken =
          (await askDaemon(sockets, async (socket) => ((await askRetry(socket, name)) ? true : null))) ?? false
        if (isSet(own, 'json'))
          output.printJson({ format: 1, leaf: name, removed: isOurs ? (failed?.name ?? null) : null, daemon: woken })
        else {
          const removed = isOurs ? `${failed?.name} is removed` : `there was no ${failedName(tree.prefix, name)}`
          output.print([
            `${removed}; ${woken ? 'the daemon tries it now' : 'no daemon runs here: graft apply tries it now'}`,
          ])
        }
        return 0
      } finally {
        connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}
