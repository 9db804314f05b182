// Points in time as a person reads them on this machine's clock.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `22 Nov 23:41`, or `22 Nov  2025` where it was in another year than now: always twelve columns. */
export function shortDate(time: number, now: number): string {
  const date = new Date(time)
  const day = `${String(date.getDate()).padStart(2)} ${MONTHS[date.getMonth()] ?? ''}`
  if (date.getFullYear() !== new Date(now).getFullYear()) return `${day} ${String(date.getFullYear()).padStart(5)}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function two(amount: number): string {
  return String(amount).padStart(2, '0')
}
