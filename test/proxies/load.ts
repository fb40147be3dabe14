/** At most twenty requests a second, every other one a form, and which of them failed. */
import { expect } from 'vitest';
import { Browser } from './browser.ts';
import type { Running } from './start.ts';

const EVERY = 50;
/** So many at once are never refused for having waited too long, however slow the machine: more come only once these are answered. */
const MOST_AT_ONCE = 16;

/** By four people, of whom each keeps connections to the proxy. */
export async function startLoad(proxy: Running) {
  const people = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'].map((from) => new Browser(proxy, from));
  for (const person of people) await person.signIn();
  const created: string[] = [];
  const failures: string[] = [];
  const asking = new Set<Promise<void>>();
  let count = 0;
  const ask = async (at: number) => {
    const person = people[at % people.length] ?? new Browser(proxy);
    const username = `load${at}`;
    const isForm = at % 2 === 0;
    const answer = isForm
      ? await person.post('/users', { username, email: `${username}@example.org` })
      : await person.get('/users');
    if (answer.status !== (isForm ? 303 : 200)) failures.push(`${isForm ? 'form' : 'page'} ${answer.status}`);
    else if (isForm) created.push(username);
  };
  const timer = setInterval(() => {
    if (asking.size >= MOST_AT_ONCE) return;
    const asked = ask(count++).catch((error) => void failures.push(`${error}`));
    asking.add(asked);
    void asked.then(() => asking.delete(asked));
  }, EVERY);
  return {
    async more(requests: number): Promise<void> {
      const goal = count + requests;
      await expect.poll(() => count, { timeout: 60_000, interval: EVERY }).toBeGreaterThan(goal);
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(asking);
      return { created, failures };
    },
  };
}
