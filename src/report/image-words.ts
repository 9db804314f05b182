// An image's reference, shortened for a column: the registry and the folders before the name say little there.

/** `quay.io/openstack.kolla/nova-api:2025.1` → `nova-api:2025.1`; a digest is cut to twelve digits. */
export function shortImage(reference: string): string {
  const [named = '', digest] = reference.split('@')
  const name = named.slice(named.lastIndexOf('/') + 1)
  if (digest === undefined) return name
  return `${name}@${digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]*$/, '$1')}`
}
