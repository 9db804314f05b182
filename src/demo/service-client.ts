// A client inside the deployment's network that looks a service up by name and asks it, again and again, and counts.
// It is a container of its own, so what it sees is what the other containers see.

import type Docker from 'dockerode'

export interface ClientCount {
  readonly requests: number
  /** A request that was sent and not answered, or a name that could not be looked up for a whole second. */
  readonly lost: number
  /** Names that were not there for a moment and were looked up again (between two renames). */
  readonly missedLookups: number
  /** Milliseconds, in steps of ten. */
  readonly longest: number
  /** How many answers came from each release, in the order in which they first answered. */
  readonly versions: ReadonlyMap<string, number>
}

export interface ServiceClient {
  count(): ClientCount
  /** Counts from nothing again. */
  reset(): void
  stop(): Promise<void>
}

const SCRIPT = `
clock() { read -r up rest < /proc/uptime; now=\${up%.*}\${up#*.}; }
lookup() { nslookup "$1" 2>/dev/null | sed -n '/^Name/,$ s/^Address: //p' | head -n 1; }
while :; do
  clock; begun=$now; missed=0
  while address=$(lookup "$1"); [ -z "$address" ]; do
    missed=$((missed + 1))
    clock; [ $((now - begun)) -lt 100 ] || break
  done
  answer=
  [ -z "$address" ] || answer=$(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 "$address" "$2" 2>/dev/null | sed -n 's/.*"version": "\\([^"]*\\)".*/\\1/p')
  clock
  echo "$begun $now $missed \${answer:--}"
done
`

export interface ClientOptions {
  readonly name: string
  /** An image with busybox. */
  readonly image: string
  readonly network: string
  /** Name of the service on that network. */
  readonly service: string
  readonly port: number
}

export async function startClient(engine: Docker, options: ClientOptions): Promise<ServiceClient> {
  const { name, image, network, service, port } = options
  const container = await engine.createContainer({
    name,
    Image: image,
    Cmd: ['sh', '-c', SCRIPT, 'client', service, String(port)],
    Tty: true,
    // It asks for names of this network only, so a name that is gone for a moment is not asked of the world's servers.
    HostConfig: { NetworkMode: network, Init: true, Dns: ['127.0.0.1'] },
  })
  await container.start()
  const stream = await container.logs({ follow: true, stdout: true })
  let tally = empty()
  let rest = ''
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) tally = counted(tally, line.trim())
  })
  return {
    count: () => tally,
    reset: () => void (tally = empty()),
    async stop() {
      await container.remove({ force: true, v: true }).catch(() => undefined)
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy()
    },
  }
}

function empty(): ClientCount {
  return { requests: 0, lost: 0, missedLookups: 0, longest: 0, versions: new Map() }
}

/** `line`: begun, ended (hundredths of a second), lookups that missed, the release that answered or `-`. */
function counted(tally: ClientCount, line: string): ClientCount {
  const [, begun, ended, missed, version] = /^(\d+) (\d+) (\d+) (\S+)$/.exec(line) ?? []
  if (version === undefined) return tally
  const versions = new Map(tally.versions)
  if (version !== '-') versions.set(version, (versions.get(version) ?? 0) + 1)
  return {
    requests: tally.requests + 1,
    lost: tally.lost + (version === '-' ? 1 : 0),
    missedLookups: tally.missedLookups + Number(missed),
    longest: Math.max(tally.longest, (Number(ended) - Number(begun)) * 10),
    versions,
  }
}
