// Starts and ends the processes of one engine: a holder that keeps a mount namespace of its own, and dockerd inside
// it. The host's mounts, its /run and its firewall stay as they are.

import { spawn } from 'node:child_process'
import { mkdir, open, readFile, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dockerdCommand } from './dockerd-command.ts'
import type { EnginePlace } from './dockerd-command.ts'
import { pingEngine } from './engine-address.ts'
import type { EngineAnswer } from './engine-address.ts'
import type { EngineNetwork } from './engine-network.ts'
import type { ProcessName } from './engine-state.ts'
import { GroundFault } from './ground-fault.ts'
import { exists } from './paths.ts'
import { isAlive, processFacts, processesMarked, signalProcess, waitForEnd } from './process-tree.ts'

/** The variable in the environment of all that an engine starts outside containers; its value is the folder. */
export const mark = 'GRAFT_ENGINE_FOLDER'

// Every mount is shared inside the namespace, so that `:shared` binds work also where the host's own mounts are
// private; it is a slave of the host's, so that nothing made inside is seen outside. A /run of its own keeps the
// engine's sockets and network namespaces away from the host's; the folder of systemd's resolver is kept, because
// /etc/resolv.conf may point into it.
const holderScript = `set -e
resolver=/run/systemd/resolve
if [ -d $resolver ]; then mkdir -p "$1/resolve"; mount --bind $resolver "$1/resolve"; fi
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/openvswitch
if [ -d "$1/resolve" ]; then mkdir -p $resolver; mount --bind "$1/resolve" $resolver; umount "$1/resolve"; rmdir "$1/resolve"; fi
mount --make-rshared /
: > "$1/holder-ready"
exec sleep infinity
`

/** Throws GroundFault where this machine does not allow a mount namespace. */
export async function startHolder(folder: string): Promise<ProcessName> {
  const ready = join(folder, 'holder-ready')
  await rm(ready, { force: true })
  const log = await open(join(folder, 'holder.log'), 'w')
  const child = spawn('unshare', ['--mount', '--propagation', 'slave', 'sh', '-c', holderScript, 'holder', folder], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, [mark]: folder },
  })
  await log.close()
  let failure: Error | null = null
  child.once('error', (error) => (failure = error))
  child.unref()
  const refused = async (): Promise<GroundFault> => {
    const said = failure?.message ?? (await readFile(join(folder, 'holder.log'), 'utf8')).trim()
    return new GroundFault(
      `A mount namespace for the engine could not be made: ${said}`,
      'An engine needs root with the right to mount (CAP_SYS_ADMIN); run this where that is allowed.',
    )
  }
  const pid = child.pid
  if (pid === undefined) {
    await sleep(0)
    throw await refused()
  }
  const deadline = performance.now() + 10_000
  while (!(await exists(ready))) {
    if (!(await isAlive(pid)) || performance.now() > deadline) throw await refused()
    await sleep(10)
  }
  const facts = await processFacts(pid)
  if (facts === null) throw await refused()
  return { pid, startTime: facts.startTime }
}

/** Starts dockerd in the holder's namespace and waits until it answers. Throws GroundFault with the end of its log. */
export async function startDockerd(
  place: EnginePlace,
  holder: ProcessName,
): Promise<{ readonly dockerd: ProcessName; readonly answer: EngineAnswer }> {
  const { folder, software } = place
  const pidFile = join(folder, 'dockerd.pid')
  // A name of its own for each start: the one before may be written late, when its dockerd was killed just now.
  await rm(join(folder, 'exits'), { recursive: true, force: true })
  await mkdir(join(folder, 'exits'), { recursive: true })
  const exitFile = join(folder, 'exits', String(Date.now()))
  const socket = join(folder, 'docker.sock')
  await rm(pidFile, { force: true })
  await rm(socket, { force: true })
  await mkdir(join(folder, 'data'), { recursive: true })
  await writeFile(join(folder, 'daemon.json'), '{}\n')
  const logPath = join(folder, 'dockerd.log')
  const log = await open(logPath, 'a')
  const child = spawn('nsenter', dockerdCommand(place, holder.pid, exitFile), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...software.environment, [mark]: folder },
  })
  await log.close()
  let ended = false
  child.once('error', () => (ended = true))
  child.once('exit', () => (ended = true))
  child.unref()
  const deadline = performance.now() + 60_000
  for (;;) {
    const answer = await pingEngine(`unix://${socket}`, 1_000)
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
    const facts = pid > 0 ? await processFacts(pid) : null
    if (answer !== null && facts !== null) return { dockerd: { pid, startTime: facts.startTime }, answer }
    if (ended || performance.now() > deadline || (await exists(exitFile)))
      throw new GroundFault(
        `dockerd ${software.packageVersion} did not come up. The end of its log:\n${await logEnd(logPath)}`,
        `Read ${logPath}; an engine needs root with all usual capabilities and a writable /sys/fs/cgroup.`,
      )
    await sleep(25)
  }
}

/** Asks dockerd to leave as a service manager would, and kills it after 30 seconds. Containerd leaves with it. */
export async function stopDockerd(dockerd: ProcessName): Promise<void> {
  if (!(await isAlive(dockerd.pid, dockerd.startTime))) return
  signalProcess(dockerd.pid, 'SIGTERM')
  if (!(await waitForEnd(dockerd.pid, dockerd.startTime, 30_000))) await killDockerd(dockerd)
}

/** SIGKILL to dockerd alone, as the kernel does when memory runs out. The containers' processes live on. */
export async function killDockerd(dockerd: ProcessName): Promise<void> {
  if (!(await isAlive(dockerd.pid, dockerd.startTime))) return
  signalProcess(dockerd.pid, 'SIGKILL')
  await waitForEnd(dockerd.pid, dockerd.startTime, 10_000)
}

/**
 * Ends the holder and all that an engine left running: containerd, shims, containers. The namespace's mounts go with
 * its last process.
 */
export async function endLeftovers(folder: string, holder: ProcessName | null): Promise<void> {
  // A process may be forked between the look and the signal, so it looks again until there is none.
  for (let round = 0; round < 50; round++) {
    const left = (await processesMarked(mark, folder)).filter(({ pid }) => pid !== process.pid)
    for (const { pid } of left) signalProcess(pid, 'SIGKILL')
    if (holder !== null && (await isAlive(holder.pid, holder.startTime))) signalProcess(holder.pid, 'SIGKILL')
    else if (left.length === 0) return
    await sleep(20)
  }
}

/** Removes the empty control groups that the engine's containers leave behind. */
export async function removeControlGroups(network: EngineNetwork): Promise<void> {
  const base = '/sys/fs/cgroup'
  const roots = [base, ...(await readdir(base).catch(() => [])).map((name) => join(base, name))]
  for (const root of roots) await removeGroup(join(root, network.bridge))
}

async function removeGroup(group: string): Promise<void> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(group, entry.name))
  // A group that still empties itself is refused for the moment, and is no harm.
  await rmdir(group).catch(() => undefined)
}

async function logEnd(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).trimEnd().split('\n')
  return lines.slice(-8).join('\n')
}
