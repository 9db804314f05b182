// Where an engine lives that a file of tests brings up for itself.

/** GRAFT_TEST_GROUND keeps runs side by side apart. */
export function engineFolder(name: string): string {
  const ground = process.env['GRAFT_TEST_GROUND']
  return `/var/tmp/graft-ground/${ground === undefined ? '' : `${ground}-`}${name}`
}
