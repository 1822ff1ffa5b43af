/** A job id of FATE-Flow: year to microsecond, and a counter of one digit; 21 digits. `now` in milliseconds since the epoch. */
export function jobIdOf(now: number): string {
  const digits = new Date(now).toISOString().replaceAll(/\D/g, '')
  return `${digits.padEnd(20, '0')}0`
}
