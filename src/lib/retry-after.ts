/** When to ask again, for whoever is answered 503. */

/** In seconds, drawn by lot so that those who are refused together do not come back together. */
const LEAST = 1;
const MOST = 5;

export function retryAfter(): string {
  return `${LEAST + Math.floor(Math.random() * (MOST - LEAST + 1))}`;
}
