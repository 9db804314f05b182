// The files of a new deployment repository, as text.

import { jsonSchemas } from '../desired/schema/json-schema.ts'
import { workflowFiles } from './init-workflows.ts'
import { schemaFile, schemaText } from './schemas.ts'

/** Path below the new folder → text. `name`: the deployment's. */
export function initFiles(name: string): ReadonlyMap<string, string> {
  const { container, set, deployment } = jsonSchemas()
  return new Map([
    ['deployment.yaml', deploymentFile(name)],
    ['web/set.yaml', SET_FILE],
    ['web/hello.yaml', LEAF_FILE],
    ['web/index.html', PAGE],
    ['README.md', readme(name)],
    ...workflowFiles(),
    [`.schemas/${schemaFile('container')}`, schemaText(container)],
    [`.schemas/${schemaFile('set')}`, schemaText(set)],
    [`.schemas/${schemaFile('deployment')}`, schemaText(deployment)],
  ])
}

function deploymentFile(name: string): string {
  return `# yaml-language-server: $schema=.schemas/deployment.schema.json
# The root of the deployment. Every folder below that has a set.yaml is a container set; every other YAML file in a set
# is a container or a job.
format: 1
name: ${name} # part of every label, network and volume on the engine; it stays as it is from the first run on

# networks: and volumes: are declared here as in Compose. A container that names no network joins \`default\`.
# volumes:
#   data: {}

# Values for \${NAME} in every file below; a set may have its own.
variables:
  greeting: Hello from ${name}

# Values that differ from host to host. Each host has its own file (host.yaml in graft's state folder).
# host_variables:
#   public_address:
#     description: Where clients reach this host
#     example: 192.0.2.10
`
}

const SET_FILE = `# yaml-language-server: $schema=../.schemas/set.schema.json
# A container set: started, stopped and versioned as one. \`git log -- web\` is its history.
description: What the world sees
version: 1.29-alpine # \${version} in every file of this set
# depends_on: [database]  # sets or containers beside this one that must be healthy first
# state: stopped          # stops the whole set
`

const LEAF_FILE = `# yaml-language-server: $schema=../.schemas/container.schema.json
# A container. The file's name is its name, on the engine and in DNS. Keys mean what they mean in a Compose file.

# The generation names this very content for ever: whoever changes anything below takes the next number, and
# git revert, which brings an earlier number back together with what it meant, is a rollback.
generation: 1
image: nginx:\${version}

# Files of this repository, put into the container before it starts.
files:
  /usr/share/nginx/html/index.html: {source: ./index.html, interpolate: true}

# A new container must pass this before it takes the old one's place. Without a check, staying up must do.
healthcheck:
  http: {port: 80, path: /}
  interval: 2s
  retries: 5

# How the old container is replaced:
# update:
#   deadline: 2m   # must pass its check within this time, or the old one stays
#   drain: 10s     # the old one keeps its open connections this long

# A port of the host has one holder, so with this the old container stops before the new one starts:
# ports: ["8080:80"]
`

const PAGE = `<!doctype html>
<title>\${greeting}</title>
<p>\${greeting}
`

function readme(name: string): string {
  return `# ${name}

What runs on our hosts. [graft](.github/workflows/graft.yml) makes each host agree with this repository; its history is
the history of the deployment.

| to do this | do that |
|---|---|
| give a container another image | \`graft bump NAME --tag TAG\`, commit |
| change a container | edit its file, let \`graft validate --fix\` take the next \`generation\`, commit |
| see what a change does | \`graft plan --worktree\` |
| find mistakes | \`graft validate --worktree\` |
| have mistakes found before each commit | \`git config core.hooksPath .githooks\`, once in each clone |
| roll back | \`git revert COMMIT\` |
| see what runs | \`graft status\` |

\`.schemas/\` is for editors: they complete and check every YAML file. \`graft schema --write .schemas\` renews it.
`
}
