/** What many people do at once, and what they are answered. */
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { countByStatus } from '../../src/users/counts.ts';
import { temporaryDatabase } from '../support.ts';

const WRITERS = 8;
/** In milliseconds: whoever is refused tries again after that. */
const REFUSED = 20;

/** Writers that create users until they are stopped. */
export function startWriters(address: string) {
  const acknowledged = new Set<string>();
  const statuses = new Map<number, number>();
  let oneMore = Promise.withResolvers<void>();
  let isStopped = false;
  let number = 0;
  const write = async () => {
    while (!isStopped) {
      const username = `user${number++}`;
      const body = new URLSearchParams({ username, email: `${username}@example.org` });
      const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      await answer.text();
      if (answer.status === 303) acknowledged.add(username);
      oneMore.resolve();
      if (answer.status === 503) await setTimeout(REFUSED);
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, write));
  const until = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      oneMore = Promise.withResolvers();
      await Promise.race([oneMore.promise, writers]);
    }
  };
  return {
    acknowledged,
    statuses,
    /** Waits until that many more users have been acknowledged. */
    async more(count: number): Promise<void> {
      const goal = acknowledged.size + count;
      await until(() => acknowledged.size >= goal);
    },
    /** Waits until that many more have been answered like that. */
    async moreAnswers(status: number, count: number): Promise<void> {
      const goal = (statuses.get(status) ?? 0) + count;
      await until(() => (statuses.get(status) ?? 0) >= goal);
    },
    async stop(): Promise<void> {
      isStopped = true;
      await writers;
    },
  };
}

/** That all of them are in a database, and counted. */
export async function expectAllSaved(usernames: ReadonlySet<string>, url: string): Promise<void> {
  const db = await temporaryDatabase(url);
  const users = await db.selectFrom('users').select('username').execute();
  const stored = new Set(users.map(({ username }) => username));
  expect([...usernames].filter((username) => !stored.has(username))).toEqual([]);
  expect(await countByStatus(db)).toEqual({ active: stored.size, inactive: 0 });
}
