/** How numbers, times and people are written for people. */
// By hand, for the first that Intl writes takes as long as Node itself to start, and 4 MB of memory.
import { lazily } from './lazily.ts';

const anyNumber = lazily(() => new Intl.NumberFormat('en'));

/** "1,204". Whole numbers, which most are, as Intl writes them, without the time that it takes. */
export const number = {
  format: (value: number): string =>
    Number.isSafeInteger(value) ? grouped(value) : anyNumber().format(value),
};

function grouped(value: number): string {
  return value < 1_000 && value > -1_000 ? `${value}` : `${value}`.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "bob", "bob and cem", "bob, cem, and dora", as Intl writes it. */
export const and = {
  format: (names: Iterable<string>): string => {
    const all = [...names];
    const last = all.pop() ?? '';
    if (all.length === 0) return last;
    return `${all.join(', ')}${all.length > 1 ? ',' : ''} and ${last}`;
  },
};

const BYTE_UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sept', 'Oct', 'Nov', 'Dec'];
const WHOLE_MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** "7 Sept 2026", as Intl writes it, without the time that it takes. @param at in milliseconds since 1970 */
export const date = { format: (at: number): string => dayOf(new Date(at), MONTHS) };

function dayOf(day: Date, months: readonly string[]): string {
  return `${day.getUTCDate()} ${months[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
}

/** "812 KB", "1.2 GB": in thousands, as disks are sold. */
export function bytesOf(count: number): string {
  // Rounded first: 999,999 bytes are 1 MB.
  const shown = Number(count.toPrecision(3));
  const unit = Math.min(Math.floor(Math.log10(Math.max(shown, 1)) / 3), BYTE_UNITS.length - 1);
  return `${grouped(shown / 1_000 ** unit)} ${BYTE_UNITS[unit]}`;
}

/** "1 hour", "1,204 hours" */
export function pluralize(count: number, what: string): string {
  return `${number.format(count)} ${what}${count === 1 ? '' : 's'}`;
}

export function usersOf(count: number): string {
  return pluralize(count, 'user');
}

/** "7 September 2026, 14:05 UTC", as Intl writes it, too. @param at in milliseconds since 1970 */
export function time(at: number): string {
  const then = new Date(at);
  return `${dayOf(then, WHOLE_MONTHS)}, ${then.toISOString().slice(-13, -8)} UTC`;
}

export function displayName({ username, full_name }: { username: string; full_name: string | null }): string {
  return full_name ?? username;
}
