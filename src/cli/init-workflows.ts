// The checks of pull requests that a new deployment repository has, for GitHub, GitLab and Gitea, and the hook before a
// commit, as text. Nothing that a pull request says reaches a shell as code: it goes through the environment or a file.

/** Path below the new folder → text. */
export function workflowFiles(): readonly (readonly [path: string, text: string])[] {
  return [
    ['.github/workflows/graft.yml', GITHUB],
    ['.gitea/workflows/graft.yml', GITEA],
    ['.gitlab-ci.yml', GITLAB],
    [HOOK_PATH, HOOK],
  ]
}

/** Git runs it only where it is executable. */
export const HOOK_PATH = '.githooks/pre-commit'

const steps = (comment: string): string => `    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # generations are judged against the whole history
          persist-credentials: false
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      # The variable GRAFT_PACKAGE says where graft comes from: anything that npm can install, such as the address of its
      # Git repository or of a tarball.
      - run: npm install --global "$GRAFT_PACKAGE"
        env:
          GRAFT_PACKAGE: \${{ vars.GRAFT_PACKAGE }}
      - name: validate
        run: |
          if [ -n "$BASE" ]; then graft validate --against "origin/$BASE"; else graft validate; fi
        env:
          BASE: \${{ github.base_ref }}
      # Exit code 2 means that there are changes, which is no failure.
      - name: plan
        if: github.event_name == 'pull_request' && !cancelled()
        run: |
          graft plan --against "origin/$BASE" --markdown > "$RUNNER_TEMP/plan.md" || [ $? -eq 2 ]
          if [ -n "$GITHUB_STEP_SUMMARY" ]; then cat "$RUNNER_TEMP/plan.md" >> "$GITHUB_STEP_SUMMARY"; fi
        env:
          BASE: \${{ github.base_ref }}
      # One comment, found again by its first line. A pull request from a fork may not write one.
      - name: comment
        if: github.event_name == 'pull_request' && !cancelled() && github.event.pull_request.head.repo.full_name == github.repository
${comment}`

const GITHUB = `name: graft
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
  pull-requests: write
jobs:
  check:
    runs-on: ubuntu-latest
${steps(`        run: |
          comments="repos/$GITHUB_REPOSITORY/issues"
          found=$(gh api --paginate "$comments/$NUMBER/comments" --jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- graft plan -->"))) | .id' | head -n 1)
          if [ -n "$found" ]; then
            gh api -X PATCH "$comments/comments/$found" -F body=@"$RUNNER_TEMP/plan.md" > /dev/null
          else
            gh api "$comments/$NUMBER/comments" -F body=@"$RUNNER_TEMP/plan.md" > /dev/null
          fi
        env:
          GH_TOKEN: \${{ github.token }}
          NUMBER: \${{ github.event.pull_request.number }}
`)}`

/** Node's own fetch, as neither `gh` nor `jq` is on every runner. `list` and `own`: the addresses of all comments, and of the one that was found. */
const script = (list: string, own: string, method: string, header: string): string =>
  [
    "const { readFileSync } = require('node:fs')",
    'const env = process.env',
    "const body = readFileSync(env.PLAN, 'utf8')",
    `const headers = { 'content-type': 'application/json', ${header} }`,
    'const ask = async (url, more) => {',
    '  const answer = await fetch(url, { headers, ...more })',
    '  if (!answer.ok) throw new Error(answer.status + " " + (await answer.text()).slice(0, 200))',
    '  return answer.json()',
    '}',
    '(async () => {',
    `  const list = ${list}`,
    '  const marked = []',
    '  let last',
    '  for (let page = 1; page < 50; page++) {',
    '    const comments = await ask(list + "?page=" + page)',
    '    // Gitea has no pages here and answers with all of them each time.',
    '    if (comments.length === 0 || comments[0].id === last) break',
    '    last = comments[0].id',
    '    marked.push(...comments.filter((comment) => comment.body.startsWith("<!-- graft plan -->")))',
    '  }',
    '  const data = JSON.stringify({ body })',
    "  // Anybody can write that first line; somebody else's comment cannot be replaced.",
    '  for (const found of marked) {',
    `    const done = await ask(${own}, { method: '${method}', body: data }).catch(() => null)`,
    '    if (done !== null) return',
    '  }',
    "  await ask(list, { method: 'POST', body: data })",
    '})().catch((error) => { console.error(String(error)); process.exit(1) })',
  ].join('\n')

const indented = (text: string, by: number): string => text.replaceAll(/^/gm, ' '.repeat(by))

const GITEA = `name: graft
on:
  pull_request:
  push:
    branches: [main]
jobs:
  check:
    runs-on: ubuntu-latest
${steps(`        run: |
          cat > "$RUNNER_TEMP/comment.cjs" <<'END'
${indented(script("env.API + '/issues/' + env.NUMBER + '/comments'", "env.API + '/issues/comments/' + found.id", 'PATCH', "authorization: 'token ' + env.TOKEN"), 10)}
          END
          PLAN="$RUNNER_TEMP/plan.md" API="$GITHUB_SERVER_URL/api/v1/repos/$GITHUB_REPOSITORY" node "$RUNNER_TEMP/comment.cjs"
        env:
          TOKEN: \${{ github.token }}
          NUMBER: \${{ github.event.pull_request.number }}
`)}`

const GITLAB = `graft:
  image: node:22 # with git
  variables:
    GIT_DEPTH: 0 # generations are judged against the whole history
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    # The CI variable GRAFT_PACKAGE says where graft comes from: anything that npm can install.
    - npm install --global "$GRAFT_PACKAGE"
    - failed=0
    # A number that the target branch took meanwhile is refused, so that branch is looked at as it is now.
    - |
      against=HEAD
      if [ -n "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME" ]; then
        git fetch -q origin "+refs/heads/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME:refs/remotes/origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
        against="origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
      fi
    - graft validate --against "$against" --code-quality graft-quality.json || failed=1
    # Exit code 2 means that there are changes, which is no failure.
    - |
      if [ -n "$CI_MERGE_REQUEST_IID" ]; then
        graft plan --against "$against" --markdown > graft-plan.md || [ $? -eq 2 ] || failed=1
      fi
    # One comment, found again by its first line. The job's own token may not write it: GRAFT_COMMENT_TOKEN is a project
    # access token with the scope api, as a masked CI variable.
    - |
      cat > /tmp/comment.cjs <<'END'
${indented(script("env.CI_API_V4_URL + '/projects/' + env.CI_MERGE_REQUEST_PROJECT_ID + '/merge_requests/' + env.CI_MERGE_REQUEST_IID + '/notes'", "list + '/' + found.id", 'PUT', "'private-token': env.GRAFT_COMMENT_TOKEN"), 6)}
      END
    - |
      if [ -n "$CI_MERGE_REQUEST_IID" ] && [ -n "$GRAFT_COMMENT_TOKEN" ]; then
        PLAN=graft-plan.md node /tmp/comment.cjs || echo "the comment could not be written"
      fi
    - exit $failed
  artifacts:
    when: always
    paths: [graft-plan.md]
    reports:
      codequality: graft-quality.json
`

const HOOK = `#!/bin/sh
# Before each commit: what is wrong with the files as they lie here. Switched on once in each clone:
#   git config core.hooksPath .githooks
# \`git commit --no-verify\` goes past it; the check of the pull request does not.
command -v graft > /dev/null 2>&1 || { echo "graft is not installed: nothing was checked" >&2; exit 0; }
exec graft validate --worktree
`
