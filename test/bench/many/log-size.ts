/** How large the log of a database gets meanwhile: what others write while somebody reads one moment of it stays in there. */
import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

const LOOK_EVERY = 250;
const MB = 1024 * 1024;

/** @returns the most, in MB, with what has come of the work */
export async function mostOfLog<T>(
  database: string,
  work: () => Promise<T>,
): Promise<{ result: T; log: number }> {
  let [most, isOver] = [0, false];
  const looking = (async () => {
    while (!isOver) {
      most = Math.max(most, await sizeOfLog(database));
      await setTimeout(LOOK_EVERY);
    }
  })();
  try {
    return { result: await work(), log: most / MB };
  } finally {
    isOver = true;
    await looking;
  }
}

async function sizeOfLog(database: string): Promise<number> {
  const [, path] = /^sqlite:(.*)$/.exec(database) ?? [];
  return path === undefined
    ? sizeInServer(database)
    : (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0);
}

async function sizeInServer(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query('select sum(size)::float8 as size from pg_ls_waldir()');
    return rows[0]?.size ?? 0;
  } finally {
    await client.end();
  }
}
