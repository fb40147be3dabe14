/** How numbers and days are written for people. */

export const number = new Intl.NumberFormat('en');

/** "31 Jan 2026" */
export const date = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
