// graft history: the commits that touched a leaf, a set or the whole deployment, and what came of them.

import { isMisnamed } from '../daemon/named-set.ts'
import { knownNodes, pageOf } from '../daemon/node-history.ts'
import type { HistoryPage } from '../report/history.ts'
import { historyJson } from '../report/history-json.ts'
import { historyLines } from '../report/history-lines.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'
import { nodeAsked } from './node-asked.ts'
import { openForCommand, type Opened } from './open-command.ts'
import { wholeLine } from './whole-line.ts'

export const historyCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Shows the commits that touched a leaf, a set or the whole deployment, newest first: which generations they moved, and what came of them on each host.\nA set above a leaf and the files it mounts count where they changed it; a leaf keeps its history where it is moved or renamed.',
      )
      .argument('[NAME|SET]', 'a leaf, or a set by its path or name; default: the whole deployment')
      .option('-n, --limit <COMMITS>', 'so many commits at most', '20')
      .option('--before <COMMIT>', 'go on after this commit, towards older ones')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft history', 'everything'],
          ['graft history nova-api', 'one leaf'],
          ['graft history openstack-control/nova-controller -n 50', 'a set and what lies in it'],
          ['graft history nova-api --before 3f2a1bc', 'the page after that commit'],
        ]),
      )
  },
  async run(invocation) {
    const limit = limitOf(textOf(invocation.own, 'limit') ?? '20')
    const opened = await openForCommand(invocation)
    try {
      const page = await pageAsked(invocation, opened, limit)
      show(page, invocation, opened)
      return 0
    } finally {
      await opened.deployment.close()
    }
  },
}

async function pageAsked({ args, own, output }: Invocation, opened: Opened, limit: number): Promise<HistoryPage> {
  const { deployment } = opened
  const { commit: tip } = await deployment.repository.refresh()
  const line = await wholeLine(deployment, tip.id, output)
  const known = knownNodes(line)
  const node = nodeAsked(known, args[0], opened)
  if (isMisnamed(node)) throw new Mistake(node.message, node.remedy)
  const asked = textOf(own, 'before')
  const before = asked === undefined ? null : (await deployment.repository.resolve(asked)).id
  const page = pageOf(line, node, { before, limit })
  if (page === null) {
    throw new Mistake(
      `${asked} is not among the first parents of ${tip.id.slice(0, 7)}, which is deployed`,
      'take a commit that graft history shows',
    )
  }
  const outcomes = await deployment.outcomes(page.entries.map(({ commit }) => commit.id))
  return {
    deployment: known.deployment,
    node,
    entries: page.entries.map((entry) => ({
      ...entry,
      // One repository may hold several deployments.
      outcomes: (outcomes.get(entry.commit.id) ?? [])
        .filter((record) => record.deployment === known.deployment)
        .toSorted((a, b) => (a.host < b.host ? -1 : 1)),
    })),
    next: page.next,
    complete: line.complete,
  }
}

function show(page: HistoryPage, { output, own, args }: Invocation, { place }: Opened): void {
  if (isSet(own, 'json')) return output.printJson(historyJson(page))
  const { stdout, palette } = output
  const [asked] = args
  output.print(
    historyLines(page, {
      palette,
      now: Date.now(),
      columns: stdout.isTerminal ? stdout.size().columns : Infinity,
      more: (before) => `graft history${asked === undefined ? '' : ` ${asked}`} --before ${before}`,
      place,
    }),
  )
}

function limitOf(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text)
  throw new Mistake(`--limit ${text} is not a number of commits`, 'write for example --limit 50')
}
