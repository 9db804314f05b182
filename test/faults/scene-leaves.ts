// The two leaves of the tests of faults: one that may run twice and is asked by clients, one that must not.

export const BASE_IMAGE = 'graft-test/base:1'

export interface LeafWish {
  readonly image?: string
  /** More lines of `web`, and of `store`. */
  readonly web?: string
  readonly store?: string
  /** More shell before `web` serves, and before `store` is healthy. */
  readonly before?: string
  readonly beforeStore?: string
}

/** Answers with its generation; two of it may run at a time. */
export function web(
  generation: number,
  port: number,
  { image = BASE_IMAGE, web: more = '', before = '' }: LeafWish,
): string {
  // What each of the load's clients asks for is a file.
  const files = ['index.html', 'fresh/0', 'fresh/1', 'kept/0', 'kept/1'].map((name) => `/www/${name}`).join(' ')
  const line = `${before}mkdir -p /www/fresh /www/kept; echo ${generation} | tee ${files} >/dev/null; exec httpd -f -p 8080 -h /www`
  return [
    `generation: ${generation}`,
    `image: ${image}`,
    `command: ${JSON.stringify(['/bin/sh', '-c', line])}`,
    `ports: [{target: 8080, published: ${port}, host_ip: 127.0.0.1, http: true}]`,
    'healthcheck: {http: {port: 8080}, interval: 1s, retries: 3}',
    'update: {drain: 1s, deadline: 30s}',
    more,
    '',
  ].join('\n')
}

const WAITS = 'trap "exit 0" TERM; touch /tmp/ok; while :; do sleep 1 & wait; done'

/** Has a volume of its own, so it is replaced stop-first. */
export function store(
  generation: number,
  { image = BASE_IMAGE, store: more = '', beforeStore = '' }: LeafWish,
): string {
  const line = `${beforeStore}${WAITS}`
  return [
    `generation: ${generation}`,
    `image: ${image}`,
    `command: ${JSON.stringify(['/bin/sh', '-c', line])}`,
    `environment: {GENERATION: "${generation}"}`,
    'volumes: ["data:/data"]',
    'healthcheck: {test: ["CMD", "/bin/test", "-e", "/tmp/ok"], interval: 1s}',
    'stop_grace_period: 2s',
    more,
    '',
  ].join('\n')
}
