/** What many people do at once, and what they are answered. */
const WRITERS = 8;

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
      if (answer.status !== 303) continue;
      acknowledged.add(username);
      oneMore.resolve();
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, write));
  return {
    acknowledged,
    statuses,
    /** Waits until that many more users have been acknowledged. */
    async more(count: number): Promise<void> {
      const goal = acknowledged.size + count;
      while (acknowledged.size < goal) {
        oneMore = Promise.withResolvers();
        await Promise.race([oneMore.promise, writers]);
      }
    },
    async stop(): Promise<void> {
      isStopped = true;
      await writers;
    },
  };
}
