/** How numbers, times and people are written for people. */

export const number = new Intl.NumberFormat('en');

const BYTE_UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];
const rounded = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const date = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

const dateAndTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** "812 KB", "1.2 GB": in thousands, as disks are sold. */
export function bytesOf(count: number): string {
  const unit = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), BYTE_UNITS.length - 1);
  return `${rounded.format(count / 1_000 ** unit)} ${BYTE_UNITS[unit]}`;
}

/** "1 hour", "1,204 hours" */
export function several(count: number, what: string): string {
  return `${number.format(count)} ${what}${count === 1 ? '' : 's'}`;
}

export function usersOf(count: number): string {
  return several(count, 'user');
}

/** @param at in milliseconds since 1970. */
export function time(at: number): string {
  return `${dateAndTime.format(at).replace(' at ', ', ')} UTC`;
}

export function displayName({ username, full_name }: { username: string; full_name: string | null }): string {
  return full_name ?? username;
}
