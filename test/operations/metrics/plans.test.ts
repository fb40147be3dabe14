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
    await transact(db, (trx) => trx.insertInto('sessions').values(sessions.slice(from, from + 500)).execute());
  await transact(db, (trx) => sql`analyze`.execute(trx));
}

/** What a query walks: the table, and the index where it is one. */
async function walkedBy(db: Db, query: Awaited<ReturnType<typeof queriesOf>>[number]): Promise<string[]> {
  if (inject('engine') === 'postgres') {
    const { rows } = await db.executeQuery({ ...query, sql: `explain (format json) ${query.sql}` });
    const plan = JSON.stringify(rows);
    const nodes = [...plan.matchAll(/(?:"Index Name":"(?<index>\w+)",)?"Relation Name":"(?<table>\w+)"/g)];
    return nodes.map(({ groups }) => [groups?.table, groups?.index].filter(Boolean).join(' '));
  }
  const { rows } = await db.executeQuery<{ detail: string }>({ ...query, sql: `explain query plan ${query.sql}` });
  return rows.flatMap(({ detail }) => {
    const { table, index } = /^(?:SCAN|SEARCH) (?<table>\w+)(?:.* INDEX (?<index>\w+))?/.exec(detail)?.groups ?? {};
    return table === undefined ? [] : [[table, index].filter(Boolean).join(' ')];
  });
}

test('no table of many rows is gone through', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addSessions(db);
  const config = readConfig({ DATABASE_URL: url });
  const queries = await queriesOf(db, (noting) => readState({ db: noting, config, clock: () => NOW }));
  expect(queries.length).toBeGreaterThan(6);
  const walked = (await Promise.all(queries.map((query) => walkedBy(db, query)))).flat();
  expect(walked).toContain('sessions sessions_seen_at');
  const others = walked.filter((place) => place !== 'sessions sessions_seen_at');
  for (const place of others) expect(place.split(' ')[0]).toMatch(SMALL);
});
