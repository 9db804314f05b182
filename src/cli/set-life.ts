// graft stop and graft start: `state:` in the file of a set, as a commit of its own. What runs follows the commit, as
// with any other.

import { isMisnamed, namedSet, nothingNamed, setNames, setsIn } from '../daemon/named-set.ts'
import { withState, type SetState } from '../daemon/set-state.ts'
import type { ContainerSet, Tree } from '../desired/tree.ts'
import { askWake } from '../http/control-client.ts'
import { commitText } from '../report/status-lines.ts'
import type { FileChange } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { authorOf, commitEdit } from './commit-edit.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { Mistake, Problems } from './mistakes.ts'
import { openForCommand, reads, type Opened } from './open-command.ts'

interface Life {
  readonly word: 'stop' | 'start'
  readonly state: SetState
  readonly description: string
}

export const stopCommand = commandFor({
  word: 'stop',
  state: 'stopped',
  description:
    'Stops a set: writes state: stopped into its set.yaml (deployment.yaml for the root) and commits that to the branch that is deployed. Its containers are stopped in reverse order and kept.',
})

export const startCommand = commandFor({
  word: 'start',
  state: 'running',
  description:
    'Starts a set that was stopped: writes state: running into its set.yaml (deployment.yaml for the root) and commits that to the branch that is deployed.',
})

function commandFor(life: Life): CommandModule {
  const { word, description } = life
  return {
    configure(command) {
      command
        .description(
          `${description}\nA repository with a URL gets the commit by a push; a folder gets it in its work tree, too, where it has one. Hooks of the folder do not run.`,
        )
        .argument('<SET>', "a set by its path or name; . or the deployment's name is the whole deployment")
        .option('-m, --message <TEXT>', `message of the commit; default: ${capital(word)} SET`)
        .option('--author <PERSON>', 'who commits, as NAME <EMAIL>; default: as Git is configured')
        .option('--json', 'print JSON')
        .addHelpText(
          'after',
          examples([
            [`graft ${word} openstack-compute`, ''],
            [`graft ${word} control/nova -m "Nova rests"`, 'a set inside another one'],
            [`graft ${word} .`, 'everything'],
          ]),
        )
    },
    async run(invocation) {
      const opened = await openForCommand(invocation)
      try {
        return await commitState(life, invocation, opened)
      } finally {
        await opened.deployment.close()
      }
    },
  }
}

async function commitState({ word, state }: Life, invocation: Invocation, opened: Opened): Promise<number> {
  const { own, output, surroundings, args } = invocation
  const { deployment } = opened
  const asked = args[0] ?? ''
  const shown = asked === '.' ? 'everything' : asked.replace(/\/+$/, '')
  let set: ContainerSet | null = null
  let above: ContainerSet | null = null
  const commit = await commitEdit(deployment, {
    message: textOf(own, 'message') ?? `${capital(word)} ${shown}`,
    author: authorOf(own, surroundings.env),
    async change(snapshot, tip) {
      const judgement = await deployment.judge(tip.id, null)
      if (!reads(judgement)) throw new Problems(judgement.problems)
      set = setMeant(judgement.tree, asked)
      above = stoppedAbove(judgement.tree, set)
      return changeOf(snapshot, set, state)
    },
  })
  const sockets = commit === null ? [] : await socketsOf(deployment, surroundings.env)
  const woken = (await askDaemon(sockets, async (socket) => ((await askWake(socket)) ? true : null))) ?? false
  const { path, file } = placeOf(set)
  const stoppedBy = state === 'running' ? pathOf(above) : null
  if (isSet(own, 'json')) output.printJson({ format: 1, set: path, file, state, commit, stoppedBy, daemon: woken })
  else {
    const { palette } = output
    const follows = woken ? 'the daemon follows it now' : 'no daemon runs here: graft apply brings it about'
    if (commit === null) output.print([`${shown} is ${state} already; there is nothing to commit`])
    else
      output.print([commitText(commit, palette, Date.now()), `${opened.place(file)} says state: ${state}; ${follows}`])
    if (stoppedBy !== null) {
      const name = stoppedBy === '' ? '.' : stoppedBy
      output.print([`${palette.changed('!')} it stays stopped while ${name} is stopped: graft start ${name}`])
    }
  }
  return 0
}

function setMeant(tree: Tree, asked: string): ContainerSet {
  const set = namedSet(tree, asked)
  if (isMisnamed(set)) throw new Mistake(set.message, set.remedy)
  if (set !== null) return set
  const leaf = tree.leaves.get(asked)
  if (leaf !== undefined) {
    const remedy =
      leaf.set === '' ? 'graft restart gives it a new container' : `name its set, ${leaf.set}, or use graft restart`
    throw new Mistake(`${asked} is a leaf, and only a whole set is stopped and started`, remedy)
  }
  const { message, remedy } = nothingNamed(tree, asked, 'no set', setNames(tree))
  throw new Mistake(message, remedy)
}

/** The outermost set above that is stopped, whatever this one says. */
function stoppedAbove(tree: Tree, { path }: ContainerSet): ContainerSet | null {
  const above = setsIn(tree.root).filter(
    (set) => set.path !== path && (set.path === '' || path.startsWith(`${set.path}/`)),
  )
  return above.find(({ state }) => state === 'stopped') ?? null
}

function changeOf(snapshot: Snapshot, set: ContainerSet, state: SetState): readonly FileChange[] {
  const { file } = placeOf(set)
  const content = snapshot.entries.get(file)?.content
  const text = content == null ? '' : Buffer.from(content).toString('utf8')
  if (stateIn(text) === state) return []
  const changed = withState(text, state)
  if (changed === null) throw new Mistake(`${file} is no mapping`, 'see what is wrong with graft validate')
  return [{ path: file, content: Buffer.from(changed) }]
}

/** What the file says of this very set; the tree tells what the sets above it make of that. */
function stateIn(text: string): SetState {
  return withState(text, 'stopped') === text ? 'stopped' : 'running'
}

function placeOf(set: ContainerSet | null): { path: string; file: string } {
  const path = set?.path ?? ''
  return { path, file: path === '' ? 'deployment.yaml' : `${path}/set.yaml` }
}

function pathOf(set: ContainerSet | null): string | null {
  return set?.path ?? null
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
