// How many ports one leaf may have.

/** The most single ports that one leaf may publish, and the most it may expose. */
export const MOST_PORTS = 1024
