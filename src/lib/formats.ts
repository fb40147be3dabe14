/** How numbers and days are written for people. */

export const number = new Intl.NumberFormat('en');

export const date = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
