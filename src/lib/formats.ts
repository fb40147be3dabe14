/** How numbers, times and people are written for people. */

export const number = new Intl.NumberFormat('en');

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

/** "1 user", "1,204 users" */
export function usersOf(count: number): string {
  return `${number.format(count)} ${count === 1 ? 'user' : 'users'}`;
}

/** @param at in milliseconds since 1970. */
export function time(at: number): string {
  return `${dateAndTime.format(at).replace(' at ', ', ')} UTC`;
}

export function displayName({ username, full_name }: { username: string; full_name: string | null }): string {
  return full_name ?? username;
}
