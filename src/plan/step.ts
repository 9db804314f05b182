// A plan's tables: what is to be done, as data. Doing it is src/apply. A step names containers by slot, because the
// candidate does not exist yet when the plan is made.

/** live: holds the leaf's name. candidate: NAME.next. retired: NAME.prev-ID6. failed: NAME.failed. */
export type Role = 'live' | 'candidate' | 'retired' | 'failed'

/** A container of a leaf: one that exists (`id`), or the candidate that this table creates (`id` null). */
export interface ContainerRef {
  readonly leaf: string
  /** Full name on the engine at the time of the plan, for messages. */
  readonly name: string
  readonly id: string | null
}

export type Action =
  /** Makes sure that the image is there; pulls it where it is not. */
  | { readonly do: 'image'; readonly leaf: string; readonly image: string; readonly always: boolean }
  /** Creates NAME.next from the leaf's spec with restart policy `no`. */
  | { readonly do: 'create'; readonly leaf: string; readonly container: ContainerRef }
  | { readonly do: 'put-files'; readonly leaf: string; readonly container: ContainerRef }
  | { readonly do: 'start'; readonly container: ContainerRef }
  | { readonly do: 'unpause'; readonly container: ContainerRef }
  /** Stops with the container's own grace period. */
  | { readonly do: 'stop'; readonly container: ContainerRef }
  /** Ends what somebody may have started since it was stopped, right before the start of what must be the only one. */
  | { readonly do: 'keep-down'; readonly container: ContainerRef }
  | { readonly do: 'restart-policy'; readonly container: ContainerRef; readonly policy: string }
  | { readonly do: 'rename'; readonly container: ContainerRef; readonly to: string }
  | { readonly do: 'remove'; readonly container: ContainerRef }
  /** The candidate proves itself, or its spec is blamed. */
  | { readonly do: 'gate'; readonly leaf: string; readonly container: ContainerRef }
  /** It passed its gate a while ago; goes on only where it still runs. In a cleanup the rest of its leaf's is left. */
  | { readonly do: 'still-up'; readonly leaf: string; readonly container: ContainerRef }
  /** Goes on only where the check fails once more, now. */
  | { readonly do: 'confirm-unhealthy'; readonly leaf: string; readonly container: ContainerRef }
  /** Waits until a job's container exits; other than 0 blames its spec. */
  | { readonly do: 'wait-job'; readonly leaf: string; readonly container: ContainerRef }
  /** Makes the empty volume that says: this job has completed for this generation. */
  | { readonly do: 'mark-job-done'; readonly leaf: string; readonly volume: string; readonly generation: number }
  /**
   * Lets the ingress follow what is live: renders its configuration from the live containers and loads it. A part that
   * HAProxy does not take blames the leaf it belongs to, where that is one of `leaves`; else it is reported and left out.
   * Nothing to do where no ingress container runs.
   */
  | { readonly do: 'ingress'; readonly leaves: readonly string[] }
  /** Puts the first configuration into the ingress's own candidate. */
  | { readonly do: 'ingress-config'; readonly leaf: string; readonly container: ContainerRef }
  /**
   * Keeps the old container's open connections this long at most (milliseconds), while the new one, live by now, goes on
   * being checked. Its spec is blamed where it fails meanwhile; the undos of the table then bring the old one back.
   */
  | {
      readonly do: 'prove'
      readonly leaf: string
      readonly container: ContainerRef
      readonly old: ContainerRef
      readonly milliseconds: number
    }
  /** Keeps the old container's open connections this long (milliseconds). */
  | { readonly do: 'drain'; readonly leaf: string; readonly container: ContainerRef; readonly milliseconds: number }
  /**
   * What becomes of a candidate whose table failed: stopped and kept as NAME.failed, replacing the one before
   * (`previous`), where its spec is to blame; removed where it is not. It is to blame for `followers`, too: leaves that
   * are as they were, and are made anew only to live in its namespace.
   */
  | {
      readonly do: 'discard'
      readonly leaf: string
      readonly container: ContainerRef
      readonly previous: string | null
      readonly followers?: readonly string[]
    }
  /** Stops a container that failed and keeps it as NAME.failed. */
  | {
      readonly do: 'keep-failed'
      readonly leaf: string
      readonly container: ContainerRef
      readonly previous: string | null
    }
  /** Limits that the engine can change on a running container, in the leaf's spec. */
  | {
      readonly do: 'update-limits'
      readonly leaf: string
      readonly container: ContainerRef
      readonly fields: readonly string[]
    }
  | { readonly do: 'connect'; readonly leaf: string; readonly container: ContainerRef; readonly network: string }
  | { readonly do: 'disconnect'; readonly container: ContainerRef; readonly network: string }
  /** Gives the image that passed its gate the tag a rollback looks for, and removes the oldest beyond the last few. */
  | { readonly do: 'tag-image'; readonly leaf: string }
  | { readonly do: 'create-network'; readonly network: string }
  | { readonly do: 'remove-network'; readonly network: string; readonly id: string }
  | { readonly do: 'create-volume'; readonly volume: string }

/**
 * One step: an action and what takes it back. When a step of prepare or commit fails, the undos of all steps that were
 * tried run backwards, its own first: a call that failed may still have taken effect. `undo` is a list of actions,
 * run in order, each tried even when the one before failed.
 */
export interface Step {
  readonly action: Action
  readonly undo: readonly Action[]
}

/**
 * One unit of work that succeeds or is taken back as a whole. A failure in prepare or commit runs the undos backwards;
 * a failure in cleanup is reported and found again by the next turn.
 */
export interface Table {
  /** Unique in the plan; the names of its leaves joined with `+`, or `network NAME`. */
  readonly id: string
  /** What is done to these leaves; a later plan leaves them alone until the table has ended. */
  readonly leaves: readonly string[]
  /** Ids of tables that must have succeeded before; one that failed holds this one. */
  readonly after: readonly string[]
  /** Whether a commit that changes a leaf's spec may stop this table half way (never a job that has begun). */
  readonly preemptible: boolean
  readonly prepare: readonly Step[]
  readonly commit: readonly Step[]
  readonly cleanup: readonly Step[]
}
