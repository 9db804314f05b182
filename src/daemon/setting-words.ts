// The words for each setting: what its value is called, and what it means. Apart from the schema, so that help can be
// shown without loading anything else.

export interface SettingWords {
  /** Its flag where that is not its own name; such a flag may be given more than once. */
  readonly flag?: string
  /** How its value is called in help; null for a switch. */
  readonly value: string | null
  readonly description: string
}

export const SETTING_WORDS = {
  repo: {
    value: 'URL|FOLDER',
    description: 'URL or folder of the deployment repository; default: the repository around the current folder',
  },
  ref: {
    value: 'BRANCH|TAG|COMMIT',
    description: "Branch, tag or commit; default: the remote's or the folder's HEAD branch",
  },
  path: {
    value: 'FOLDER',
    description: 'Folder inside the repository that holds deployment.yaml; default: the one around the current folder',
  },
  engine: {
    value: 'URL',
    description: "URL of the engine; default: DOCKER_HOST, Docker's current context, the usual socket",
  },
  state: {
    value: 'FOLDER',
    description:
      'Folder for the clone, the locks and the host key; default: /var/lib/graft for root, else $XDG_STATE_HOME/graft',
  },
  git_username: { value: 'NAME', description: 'User name for basic authentication' },
  git_password_file: {
    value: 'FILE',
    description: 'File that holds the password or token for basic authentication (or the variable GRAFT_GIT_PASSWORD)',
  },
  git_token_file: {
    value: 'FILE',
    description: 'File that holds a bearer or personal access token (or the variable GRAFT_GIT_TOKEN)',
  },
  git_ssh_key_file: {
    value: 'FILE',
    description: 'Private key for repositories behind SSH; default: as ssh is configured on this host',
  },
  git_known_hosts_file: {
    value: 'FILE',
    description: 'The SSH hosts whose keys are known; default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts',
  },
  git_ca_file: { value: 'FILE', description: 'PEM file of a private certificate authority' },
  verify: {
    value: 'MODE',
    description: 'Which commits must be signed: head, every or off; default: head where verify_keys is set, else off',
  },
  verify_keys: {
    value: 'FILE',
    description: 'Keys that commits may be signed with: allowed signers, OpenPGP keys; default: STATE/allowed_signers',
  },
  forward_only: { value: null, description: 'Refuses a commit that does not contain the one accepted before it' },
  signing_key_file: {
    value: 'FILE',
    description: 'SSH private key that graft signs its own commits with; default: they are not signed',
  },
  notes: {
    value: 'MODE',
    description:
      'What came of each commit, as Git notes: push, keep or off; default: push to a server where credentials are set, else keep',
  },
  host_name: {
    value: 'NAME',
    description: "This host's name in notes and commit statuses; default: as the system says",
  },
  policy: { value: 'FILE', description: "The host's policy file; default: STATE/policy.yaml where it is there" },
  host_variables: {
    value: 'FILE',
    description: "YAML file of this host's own values (name: value); default: STATE/host.yaml where it is there",
  },
  secrets: {
    value: 'FOLDER',
    description: "Folder of this host's own secrets, a file each; default: STATE/secrets",
  },
  age_key_file: {
    value: 'FILE',
    description: 'age identities that decrypt the secrets of the repository; default: STATE/age.key where it is there',
  },
  mirrors: {
    flag: 'mirror',
    value: 'FROM=TO',
    description: 'Rewrites of image references, longest prefix first: quay.io/ → registry.local:5000/quay/',
  },
  insecure_registries: {
    value: 'HOSTS',
    description: 'Registries that may speak plain HTTP, with commas between them; those on this machine may always',
  },
  docker_config: {
    value: 'FOLDER',
    description: "Folder of Docker's config.json; default: DOCKER_CONFIG or ~/.docker",
  },
  probe_image: {
    value: 'IMAGE',
    description: 'Image of the helper that probes containers whose addresses cannot be reached from here',
  },
  parallel: { value: 'NUMBER', description: 'Engine starts at a time; default: 4' },
  engine_timeout: {
    value: 'SECONDS',
    description: 'Seconds the engine may say nothing to a call before it counts as away; default: 60',
  },
  takeover_after: {
    value: 'SECONDS',
    description: 'Seconds without a sign of life after which another host may take over the deployment; default: 60',
  },
  listen: { value: 'ADDRESS:PORT', description: 'Where webhooks are heard, below /webhook/; default: nowhere' },
  webhook_secret_file: { value: 'FILE', description: 'File that holds the secret which every webhook must prove' },
  forge: {
    value: 'NAME',
    description: "What the repository's host is: github, gitlab, gitea or forgejo; default: known by its name",
  },
  forge_api: { value: 'URL', description: "Root of the forge's API, where it is not at its usual place" },
  forge_token_file: {
    value: 'FILE',
    description: 'File that holds a token to write commit statuses with; default: none are written',
  },
  forge_link: {
    value: 'URL',
    description: "Where a commit status links to, {commit} and {host} filled in; default: the commit's page",
  },
  limits: {
    flag: 'set-limit',
    value: 'NAME=VALUE',
    description: 'How much is read of what others give: files, sizes, memory, webhooks a minute; in the file a mapping',
  },
  poll: { value: 'SECONDS', description: 'Seconds between two looks at a remote repository; default: 15' },
  measure: {
    value: null,
    description: 'Plays clients against published ports in every swap, and counts what they lose',
  },
  allow_privileged: {
    value: null,
    description: 'Grants everything the policy file would have to grant; for a try',
  },
  log_level: { value: 'LEVEL', description: 'debug, info, warn or error; default: info' },
} as const satisfies Record<string, SettingWords>
