/** What is read of the database at each scrape goes by counts that are kept and by indexes, however many users there are. */
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { readState } from '../../../src/operations/metrics/state.ts';
import { queriesOf } from '../../db/history-reads.ts';
import { addPerson } from '../../people.ts';
import { readyUrl, temporaryDatabase } from '../../support.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const SESSIONS = 5_000;
/** What holds a few rows, whoever is in the directory. */
const SMALL = /^(user_counts|imports|jobs|maintenance_runs|pragma_\w+|pg_\w+)$/;

/** Of those that signed in within a month a few are signed in still. */
async function addSessions(db: Db): Promise<void> {
  const { id } = await addPerson(db, 'ann', 'admin');
  const sessions = Array.from({ length: SESSIONS }, (_, index) => ({
    token_hash: `${index}`,
    user_id: id,
    created_at: NOW - index * 500_000,
    seen_at: NOW - index * 500_000,
    address: '',
    browser: '',
  }));
  for (let from = 0; from < SESSIONS; from += 500)
    await transact(db, (trx) =>
      trx
        .insertInto('sessions')
        .values(sessions.slice(from, from + 500))
        .execute(),
    );
  await transact(db, (trx) => sql`analyze`.execute(trx));
}

/** How a query is answered, in the words of the database. */
async function planOf(db: Db, query: Awaited<ReturnType<typeof queriesOf>>[number]): Promise<string> {
  const explain = inject('engine') === 'postgres' ? 'explain' : 'explain query plan';
  const { rows } = await db.executeQuery<Record<string, string>>({
    ...query,
    sql: `${explain} ${query.sql}`,
  });
  return rows.map((row) => row.detail ?? row['QUERY PLAN']).join('\n');
}

test('no table of many rows is gone through', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addSessions(db);
  const config = readConfig({ DATABASE_URL: url });
  const queries = await queriesOf(db, (noting) => readState({ db: noting, config, clock: () => NOW }));
  expect(queries.length).toBeGreaterThan(6);
  const plan = (await Promise.all(queries.map((query) => planOf(db, query)))).join('\n');
  expect(plan).toMatch(/\bsessions_seen_at\b/);
  const walked = [...plan.matchAll(/\bSCAN (\w+)|\bSeq Scan on (\w+)/g)].map(
    ([, one, other]) => one ?? other,
  );
  expect(walked).toContain('user_counts');
  for (const table of walked) expect(table).toMatch(SMALL);
});
