/** A Roster is killed at any moment while several people write, again and again: what was acknowledged is there, and nothing by half; sent again, it is done once. */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { startPostgres } from '../postgres/start.ts';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { below, expectFound, expectWhole, type Person, sendAgain, startActing } from './acts.ts';

/** `npm run test:crash` asks for 200; a database on a server takes longer to come back. */
const ROUNDS = Number(process.env.ROUNDS ?? (inject('isLong') ? 20 : 2));
const POSTGRES_ROUNDS = Math.max(2, Math.ceil(ROUNDS / 10));
const MOST_ACTS = 100;
/** Else it would always be killed just after a commit. */
const MOST_MILLISECONDS = 10;

const timeout = 180_000 + ROUNDS * 10_000;

/** One Roster from its start to its end: people write until it is killed, and `end` does what else ends. */
async function killOne(
  url: string,
  people: Person[],
  end: () => Promise<unknown> = async () => {},
): Promise<void> {
  const { child, address } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
  await sendAgain(address, people);
  await expectFound(address, people);
  const writers = startActing(address, people);
  await writers.until(1 + below(MOST_ACTS));
  await setTimeout(below(MOST_MILLISECONDS));
  child.kill('SIGKILL');
  await Promise.all([once(child, 'exit'), end(), writers.ended]);
}

/** What was under way at the last kill is sent again, too. */
async function startOnceMore(url: string, people: readonly Person[]): Promise<void> {
  const { child, address } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
  await sendAgain(address, people);
  child.kill('SIGTERM');
  await once(child, 'exit');
  await expectWhole(url, people);
}

/** For whoever has asked for that many. */
function say(rounds: number, people: readonly Person[]): void {
  if (process.env.ROUNDS === undefined) return;
  const acts = people.flatMap((person) => person.acts).length;
  console.log(`${rounds} kills, ${people.length} people, ${acts} acts`);
}

test('on SQLite, nothing is lost', { timeout }, async () => {
  const url = await readyUrl('sqlite');
  const people: Person[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await killOne(url, people);
    await expectWhole(url, people);
    const db = await openDatabase(url);
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
    expect(rows).toEqual([{ integrity_check: 'ok' }]);
    await db.destroy();
  }
  await startOnceMore(url, people);
  say(ROUNDS, people);
});

test('on PostgreSQL, nothing is lost, also where the server crashes together with it', {
  timeout,
}, async () => {
  const postgres = await startPostgres([]);
  onTestFinished(() => postgres.stop());
  const people: Person[] = [];
  for (let round = 0; round < POSTGRES_ROUNDS; round++) {
    await killOne(postgres.url, people, round % 2 ? postgres.crash : undefined);
    await connectionsGone(postgres.url);
    await expectWhole(postgres.url, people);
  }
  await startOnceMore(postgres.url, people);
  say(POSTGRES_ROUNDS, people);
});

/** What a killed Roster has sent, the server may still be doing. */
async function connectionsGone(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const others = `select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;
  await expect.poll(async () => (await client.query(others)).rows).toEqual([]);
  await client.end();
}
