// graft validate: everything that is wrong with a commit or a work tree, without an engine and without the host's values.

import { access } from 'node:fs/promises'
import { join } from 'node:path'

import { missingPrivileges } from '../desired/policy-grants.ts'
import { UNSEEN } from '../desired/host-paths.ts'
import { NO_POLICY } from '../desired/policy.ts'
import type { Tree } from '../desired/tree.ts'
import { problemsJson } from '../report/json.ts'
import { plain } from '../report/columns.ts'
import { count } from '../report/plurals.ts'
import { problemLines } from '../report/problem-lines.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { fixedLines, fixGenerations, fixHint } from './fix-generations.ts'
import { judgeWork } from './judge-work.ts'
import type { LoadedSettings } from './load-settings.ts'
import { openForCommand } from './open-command.ts'
import { Mistake } from './mistakes.ts'
import { annotate, forgeFor, judgeAgainst } from './validate-against.ts'

export const validate: CommandModule = {
  configure(command) {
    command
      .description(
        'Says everything that is wrong with a commit, each with its place and what would be right.\nNeeds no engine; for host variables their examples are used. Exit 0: nothing is wrong, 1: something is.',
      )
      .option('--worktree', 'look at the files as they lie there, not at the last commit')
      .option('--fix', 'give each leaf in the work tree the generation that it lacks, and then look at that')
      .option('--against <REV>', 'judge the last commit as a change to REV, as in a pull request')
      .option('--annotations <FORGE>', 'github, gitlab or none; default: what the runner says it is')
      .option('--code-quality <FILE>', "write GitLab's code quality report there")
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft validate', 'the last commit of the repository around this folder'],
          ['graft validate --worktree', 'what is not committed yet'],
          ['graft validate --fix', 'the next free generation where somebody forgot it'],
          ['graft validate --against origin/main', 'a branch, before it is merged'],
          ['graft validate --repo https://git.example/site.git --ref v2', 'a tag of a repository elsewhere'],
        ]),
      )
  },
  async run(invocation) {
    const { output, own } = invocation
    const { palette } = output
    const against = textOf(own, 'against')
    if (against !== undefined && (isSet(own, 'worktree') || isSet(own, 'fix')))
      throw new Mistake('--against judges a commit, not the work tree', 'commit first, or leave --against out')
    forgeFor(invocation)
    const opened = await openForCommand(invocation, withoutPolicy)
    const { deployment, settings, place } = opened
    try {
      const host = await deployment.hostFiles()
      const fixed = isSet(own, 'fix') ? await fixGenerations(opened) : null
      const { judgement } =
        against === undefined
          ? await judgeWork(deployment, isSet(own, 'worktree') || fixed !== null, null)
          : await judgeAgainst(deployment, against)
      const problems = [...host.problems, ...judgement.problems]
      const wrong = problems.some(({ severity }) => severity !== 'warning')
      if (isSet(own, 'json')) output.printJson({ ...problemsJson(problems), ...(fixed && { fixed }) })
      else {
        output.print(fixedLines(fixed ?? [], opened, palette))
        output.print([...problemLines(problems, { palette, place }), ...fixHint(problems, opened, palette)])
        const { tree } = judgement
        if (!wrong && tree !== null)
          output.print([okLine(tree, palette.good('ok:')), ...privilegeNote(tree, settings, invocation)])
      }
      await annotate(problems, settings.path ?? '', invocation)
      return wrong ? 1 : 0
    } finally {
      await deployment.close()
    }
  },
}

/**
 * What a host grants is that host's own. Where this one has no policy file (a pull request's runner), privileges are
 * told and not judged.
 */
export async function withoutPolicy(settings: LoadedSettings): Promise<LoadedSettings> {
  if (settings.policy !== undefined) return settings
  const there = await access(join(settings.state, 'policy.yaml')).then(
    () => true,
    () => false,
  )
  return there ? settings : { ...settings, allow_privileged: true }
}

function okLine(tree: Tree, ok: string): string {
  const sets = setsIn(tree.root) - 1
  const leaves = count(tree.leaves.size, 'leaf', 'leaves')
  return `${ok} ${leaves}${sets === 0 ? '' : ` in ${count(sets, 'set')}`}`
}

function setsIn(set: Tree['root']): number {
  return 1 + set.sets.reduce((sum, inner) => sum + setsIn(inner), 0)
}

function privilegeNote(tree: Tree, settings: LoadedSettings, { output }: Invocation): string[] {
  if (!settings.allow_privileged) return []
  const asking = [...tree.leaves.values()].filter((leaf) => missingPrivileges(leaf, tree, NO_POLICY, UNSEEN).length > 0)
  if (asking.length === 0) return []
  const names = asking.map(({ name }) => plain(name)).join(', ')
  const verb = asking.length === 1 ? 'asks' : 'ask'
  return [
    output.palette.dim(
      `    ${count(asking.length, 'leaf', 'leaves')} ${verb} for privileges that a host's policy file must grant: ${names}`,
    ),
  ]
}
