// graft demo: the main job from nothing, on a real engine. Exit code 0 only where every act happened as it is told.

import { resolve } from 'node:path'

import { examples, isSet, textOf, type CommandModule, type Invocation } from '../cli/command.ts'
import { failureLines, Mistake } from '../cli/mistakes.ts'
import type { EngineConnection } from '../engine/connect.ts'
import { duration } from '../report/durations.ts'
import { DemoFailure, DemoStopped } from './demo-failure.ts'
import {
  type DemoPlace,
  type DemoRecord,
  demoPlace,
  makePlace,
  readRecord,
  usualFolder,
  writeRecord,
} from './demo-place.ts'
import { removeDemo } from './demo-removal.ts'
import { type Scene, setUp } from './demo-setup.ts'
import { type DemoStage, openStage } from './demo-stage.ts'
import { GroundFault } from './ground-fault.ts'
import { isAlive } from './process-tree.ts'
import { type Told, tellStory } from './story.ts'

export const demoCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Shows the main job on a real Docker Engine: OpenStack as a tree of container sets comes up from a Git repository, one service is upgraded, a bad release is refused, and git revert takes both back.\nImages are small stand-ins. Everything is removed at the end. Needs a Docker Engine, or root on Debian or Ubuntu to bring one up.',
      )
      .option('--keep', 'leave everything running at the end, and say how to look around')
      .option('--clean', 'remove a demo that was kept, or that ended without cleaning up')
      .option('--folder <FOLDER>', `where the demo keeps its files; default: ${usualFolder()}`)
      .option('--json', 'print what happened as JSON; the story goes to stderr')
      .addHelpText(
        'after',
        examples([
          ['graft demo', 'about a minute'],
          ['graft demo --keep', 'and look around'],
          ['graft demo --clean', 'remove it again'],
        ]),
      )
  },
  async run(invocation) {
    const { own, surroundings } = invocation
    const place = demoPlace(resolve(surroundings.cwd, textOf(own, 'folder') ?? usualFolder()))
    const record = await readRecord(place)
    if (isSet(own, 'clean')) return cleanOnly(place, record, invocation)
    if (record !== null && (await isAlive(record.demo.pid, record.demo.startTime)))
      throw new Mistake(
        `another demo runs in ${place.folder} (process ${record.demo.pid})`,
        'wait for it, or name another folder with --folder',
      )
    if (record?.kept === true)
      throw new Mistake(`a demo that was kept is in ${place.folder}`, `remove it first: ${again('--clean', own)}`)
    await makePlace(place)
    return perform(place, record, invocation)
  },
}

async function perform(place: DemoPlace, earlier: DemoRecord | null, invocation: Invocation): Promise<number> {
  const { surroundings, output, own, shared } = invocation
  const { env } = surroundings
  const json = isSet(own, 'json')
  const begun = Date.now()
  const abort = new AbortController()
  const stage = openStage(
    json ? output.stderr : output.stdout,
    json ? output.errorPalette : output.palette,
    abort.signal,
  )
  const stopped = surroundings.onStop(() => {
    if (abort.signal.aborted) {
      stage.say(`  left as it is; remove it with ${again('--clean', own)}`)
      stage.close()
      surroundings.exit(130)
    }
    abort.abort(new DemoStopped())
    stage.say(`  ${stage.palette.changed('stopped; everything is removed now (once more to leave it)')}`)
  })
  let scene: Scene | null = null
  let connection: EngineConnection | null = null
  let told: Told | null = null
  let failure: unknown = null
  try {
    stage.say(
      `${stage.palette.bold('graft demo')}  ${stage.palette.dim('OpenStack from a Git repository on a Docker Engine, in about a minute')}`,
      '',
    )
    if (earlier !== null) {
      stage.busy('removing what an earlier demo left')
      await removeDemo(place, earlier, null, env)
      await makePlace(place)
    }
    const onEngine = (engine: { readonly connection: EngineConnection }): void => void (connection = engine.connection)
    scene = await setUp({ stage, place, env, asked: textOf(shared, 'engine'), onEngine })
    told = await tellStory(stage, scene)
  } catch (error) {
    failure = error
    stage.live(null)
    if (!abort.signal.aborted) tellFailure(error, stage, invocation)
  }
  try {
    const keep = isSet(own, 'keep') && told !== null
    const left =
      keep && scene !== null
        ? await leaveIt(place, scene, stage, invocation)
        : await cleanUp(place, connection, stage, env)
    if (json) output.printJson(summaryOf(told, scene, failure, left, Date.now() - begun))
    else if (told !== null && left.length === 0)
      stage.say(
        '',
        `  ${stage.palette.good('✓')} ${stage.palette.bold('everything happened as told')}, ${duration(Date.now() - begun)} in all`,
      )
    if (abort.signal.aborted) return 130
    return told !== null && left.length === 0 ? 0 : 1
  } finally {
    stage.close()
    stopped()
    ;(connection as EngineConnection | null)?.close()
  }
}

async function cleanUp(
  place: DemoPlace,
  connection: EngineConnection | null,
  stage: DemoStage,
  env: Invocation['surroundings']['env'],
): Promise<readonly string[]> {
  const record = await readRecord(place)
  if (record === null) return []
  stage.say('')
  stage.busy('removing containers, networks, volumes, images and files of the demo')
  const begun = Date.now()
  const left = await removeDemo(place, record, connection, env)
  stage.live(null)
  stage.say(
    ...(left.length === 0
      ? [`  ${stage.palette.dim(`everything of the demo is removed again (${duration(Date.now() - begun)})`)}`]
      : left.map((text) => `  ${stage.palette.bad('✗')} ${text}`)),
  )
  return left
}

async function leaveIt(
  place: DemoPlace,
  { deployment }: Scene,
  stage: DemoStage,
  { own }: Invocation,
): Promise<readonly string[]> {
  const record = await readRecord(place)
  if (record !== null) await writeRecord(place, { ...record, kept: true })
  const { palette } = stage
  stage.say(
    '',
    `  ${palette.bold('Kept.')} Look around:`,
    `    node dist/main.js status --watch --config ${place.config}`,
    `    node dist/main.js logs openstack-control/nova-controller --config ${place.config}`,
    `    docker -H ${deployment.connection.url} ps`,
    `    cd ${place.work}   ${palette.dim('# change a generation and its image, commit, git push')}`,
    `  Remove it: ${again('--clean', own)}`,
  )
  return []
}

async function cleanOnly(
  place: DemoPlace,
  record: DemoRecord | null,
  { output, surroundings }: Invocation,
): Promise<number> {
  if (record === null) {
    output.print([`There is no demo in ${place.folder}.`])
    return 0
  }
  const left = await removeDemo(place, record, null, surroundings.env)
  output.print(left.length === 0 ? ['The demo is removed.'] : left)
  return left.length === 0 ? 0 : 1
}

function tellFailure(error: unknown, stage: DemoStage, { output }: Invocation): void {
  if (error instanceof DemoFailure) {
    stage.say(
      '',
      `  ${stage.palette.bad('✗')} ${stage.palette.bold(`Not as told: ${error.message}`)}`,
      ...error.details.map((line) => `    ${stage.palette.dim(`│ ${line}`)}`),
    )
    return
  }
  if (!(error instanceof Error)) throw error
  const remedy =
    'remedy' in error && typeof error.remedy === 'string'
      ? error.remedy
      : 'this is a bug in graft: report it with what is above'
  stage.say('', ...failureLines(error.message, remedy, output))
  if (!('remedy' in error) && !(error instanceof GroundFault)) stage.say(error.stack ?? '')
}

function again(flag: string, own: Invocation['own']): string {
  const folder = textOf(own, 'folder')
  return `npm run demo -- ${flag}${folder === undefined ? '' : ` --folder ${folder}`}`
}

function summaryOf(
  told: Told | null,
  scene: Scene | null,
  failure: unknown,
  left: readonly string[],
  milliseconds: number,
): object {
  const engine =
    scene === null
      ? null
      : {
          url: scene.engine.connection.url,
          version: scene.engine.connection.facts.version,
          own: scene.engine.own !== null,
        }
  const { names } = scene?.deployment ?? { names: null }
  return {
    format: 1,
    ok: told !== null && left.length === 0,
    engine,
    names,
    acts: told,
    failure: failure === null ? null : failure instanceof Error ? failure.message : String(failure),
    left,
    milliseconds,
  }
}
