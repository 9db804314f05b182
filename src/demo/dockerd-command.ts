// The command line that starts dockerd apart from everything else on the machine.

import { join } from 'node:path'
import type { EngineNetwork } from './engine-network.ts'
import type { EngineSoftware } from './engine-software.ts'

/** What one engine has for itself. */
export interface EnginePlace {
  readonly folder: string
  readonly network: EngineNetwork
  readonly software: EngineSoftware
  /** Whether containers run on while dockerd does not. */
  readonly liveRestore?: boolean
}

/** Arguments of nsenter(1), which enters the mount namespace of the process `holder` first. `exitFile` is written when dockerd ends. */
export function dockerdCommand(
  { folder, network, software, liveRestore = false }: EnginePlace,
  holder: number,
  exitFile: string,
): readonly string[] {
  const init = join(software.binFolder, 'tini-static')
  // Where process 1 collects no orphans, the shims would stay as zombies, and a zombie containerd makes the next
  // dockerd of 20.10 wait for it in vain. So their collector stays when dockerd is gone, until the namespace ends.
  const collector = [init, '-s', '--', 'sh', '-c', '"$@"; echo $? > "$0"; exec sleep infinity']
  const options = {
    // The host's own /etc/docker/daemon.json is for the host's own engine.
    'config-file': join(folder, 'daemon.json'),
    'data-root': join(folder, 'data'),
    // Inside the namespace's own /run.
    'exec-root': '/run/docker',
    pidfile: join(folder, 'dockerd.pid'),
    host: `unix://${join(folder, 'docker.sock')}`,
    group: 'root',
    bridge: network.bridge,
    'default-address-pool': `base=10.${network.range}.0.0/16,size=24`,
    // Else dockerd flushes and rewrites the host's firewall chains, also those of an engine that is already there.
    // Published ports go through docker-proxy instead.
    iptables: 'false',
    ip6tables: 'false',
    'ip-masq': 'false',
    'ip-forward': 'false',
    'userland-proxy': 'true',
    // With the systemd driver the groups would belong to a service manager that cannot be reached from inside.
    'exec-opt': 'native.cgroupdriver=cgroupfs',
    'cgroup-parent': `/${network.bridge}`,
    'init-path': init,
    'live-restore': String(liveRestore),
    'shutdown-timeout': '3',
  }
  const inNamespace = ['--target', String(holder), '--mount', '--']
  const dockerd = join(software.binFolder, 'dockerd')
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  return [...inNamespace, ...collector, exitFile, dockerd, ...flags]
}
