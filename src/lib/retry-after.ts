/** When to ask again after a 503: drawn by lot, so that those who are refused together do not come back together. */

const LEAST_SECONDS = 1;
const MOST_SECONDS = 5;

export function retryAfter(): string {
  return `${LEAST_SECONDS + Math.floor(Math.random() * (MOST_SECONDS - LEAST_SECONDS + 1))}`;
}
