// graft outdated: what the registries offer beyond what the leaves declare. Nothing is changed.

import { leafNames } from './leaf-names.ts'
import { imageNews, isOutdated, type ImageNews } from '../registry/image-news.ts'
import { count } from '../report/plurals.ts'
import { outdatedLines } from '../report/outdated-lines.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { judgeWork } from './judge-work.ts'
import { Problems } from './mistakes.ts'
import { openForCommand, reads } from './open-command.ts'
import { openRegistry } from './open-registry.ts'
import { withoutPolicy } from './validate.ts'

export const outdatedCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Asks the registries which tags there are, and lists what is newer than what the leaves declare: the newest that image_policy allows, the newest of its kind, and tags that stand for another image than the digest beside them.\nExit 0: nothing is newer, 2: something is, 1: a registry did not answer, or something is wrong.',
      )
      .argument('[NAME...]', 'leaves, or sets by their path or name; default: everything')
      .option('--worktree', 'look at the files as they lie there, not at the last commit')
      .option('--all', 'show leaves that are up to date, too')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft outdated', 'everything'],
          ['graft outdated control/nova', 'one set'],
          ['graft bump --outdated', 'write what image_policy allows'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation, withoutPolicy)
    try {
      const { judgement } = await judgeWork(opened.deployment, isSet(invocation.own, 'worktree'), null)
      if (!reads(judgement)) throw new Problems(judgement.problems)
      const names = leafNames(judgement.tree, invocation.args)
      const leaves = [...judgement.tree.leaves.values()].filter(({ name }) => names.has(name))
      const registry = openRegistry(opened.settings, invocation.surroundings.env)
      try {
        return tell(await imageNews(leaves, registry), invocation)
      } finally {
        await registry.close()
      }
    } finally {
      await opened.deployment.close()
    }
  },
}

function tell(news: readonly ImageNews[], { own, output }: Invocation): number {
  const outdated = news.filter(isOutdated)
  const failed = news.filter(({ fault }) => fault !== null)
  if (isSet(own, 'json')) {
    output.printJson({ format: 1, outdated: outdated.length > 0, leaves: news.map(newsJson) })
  } else {
    const { palette } = output
    const lines = outdatedLines(news, { palette, all: isSet(own, 'all') })
    const bumpable = outdated.filter(({ hasPolicy }) => hasPolicy)
    const quiet =
      failed.length > 0 ? 'nothing newer was found' : `${count(news.length, 'leaf', 'leaves')}, all up to date`
    output.print([
      ...lines,
      ...(outdated.length === 0 ? [palette.dim(quiet)] : []),
      ...(bumpable.length > 0 ? [palette.dim('graft bump --outdated writes what image_policy allows')] : []),
    ])
  }
  if (failed.length > 0) return 1
  return outdated.length > 0 ? 2 : 0
}

function newsJson({ reference, hasPolicy, ...news }: ImageNews): object {
  const { tag = null, digest = null } = reference ?? {}
  return { ...news, tag, digest, policy: hasPolicy }
}
