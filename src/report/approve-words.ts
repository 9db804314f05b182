// How a person says that removals are meant.

/** `graft approve 3fa91c2`, for a commit's id. */
export function approveCommand(commit: string | null): string {
  return commit === null ? 'graft approve' : `graft approve ${commit.slice(0, 7)}`
}

/** The remedy for removals that wait. */
export function approveRemedy(commit: string | null): string {
  return `restore the files, or say that it is meant: ${approveCommand(commit)}`
}
