// graft calls: what graft asks of an engine, for whoever puts a proxy before it.

import { CALLS_USED } from '../engine/calls-used.ts'
import { callLines, engineProxyLines } from '../report/engine-proxy.ts'
import { examples, isSet, textOf, type CommandModule } from './command.ts'
import { Mistake } from './mistakes.ts'

export const callsCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Lists the calls that graft makes to an engine, or writes a proxy’s configuration that allows no others.',
      )
      .option('--haproxy', 'print a configuration for HAProxy')
      .option('--socket <PATH>', 'the socket that graft is given', '/run/graft/engine.sock')
      .option('--behind <PATH>', 'the socket of the engine itself', '/var/run/docker.sock')
      .option('--user <NAME>', 'who may use the socket that graft is given', 'graft')
      .option('--account <NAME>', 'who HAProxy runs as', 'haproxy')
      .option('--group <NAME>', 'the group that may use the socket of the engine', 'docker')
      .option('--json', 'print JSON')
      .configureHelp({ showGlobalOptions: false })
      .addHelpText(
        'after',
        examples([
          ['graft calls', 'method, path and purpose of each'],
          ['graft calls --haproxy > /etc/haproxy/engine.cfg', 'then: graft run --engine unix:///run/graft/engine.sock'],
        ]),
      )
  },
  run({ output, own }) {
    if (isSet(own, 'haproxy')) output.print(engineProxyLines(placeIn(own)))
    else if (isSet(own, 'json')) output.print([JSON.stringify(CALLS_USED, null, 2)])
    else output.print(callLines())
    return Promise.resolve(0)
  },
}

function placeIn(own: Parameters<typeof textOf>[0]): Parameters<typeof engineProxyLines>[0] {
  const path = (option: string): string => {
    const text = textOf(own, option) ?? ''
    // Blanks and quotes would mean something else in HAProxy's file, and more than 107 bytes no socket has (unix(7)).
    if (/^\/[\w./@-]{1,106}$/.test(text)) return text
    throw new Mistake(`--${option} ${text} cannot be the path of a socket`, 'give an absolute path without blanks')
  }
  const name = (option: string): string => {
    const text = textOf(own, option) ?? ''
    if (/^[\w.-]+$/.test(text)) return text
    throw new Mistake(`--${option} ${text} cannot be a name`, 'give the name of an account on this host')
  }
  return {
    engine: path('behind'),
    socket: path('socket'),
    user: name('user'),
    account: name('account'),
    group: name('group'),
  }
}
