/** What tests share: a Roster of their own, on a database of its own, and how to talk to it. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { afterAll, expect, inject, onTestFinished } from 'vitest';
import { buildApp } from '../src/app.ts';
import { commandLine } from '../src/auth/actor.ts';
import { cookieMarkOf, cookieOf } from '../src/auth/cookie.ts';
import type { Argon2Cost } from '../src/auth/password-hashing.ts';
import { maySignIn } from '../src/auth/policy.ts';
import { type Config, readConfig } from '../src/config.ts';
import { openDatabase } from '../src/db/database.ts';
import { engineOf } from '../src/db/engine.ts';
import { indexLastSignIns, indexLastSignInsOf } from '../src/db/last-sign-ins.ts';
import type { Db, Role, User } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';
import { addToCounts, countByKind } from '../src/db/user-counts.ts';
import { type Clock, MINUTE, type Stopwatch } from '../src/lib/clock.ts';
import { createUser } from '../src/users/commands.ts';
import type { NewUser } from '../src/users/validation.ts';
import { FOLDERS } from './folders.ts';
import { htmlProblems } from './html.ts';
import { readySchema, temporarySchema } from './postgres/database.ts';
import { readyDatabase, reusedDatabase } from './postgres/reused.ts';
import './database-template.ts';

/** The key of all Rosters in tests, as of those that share a database. */
export const SECRET_KEY = Buffer.alloc(32, 'key');
export const DATABASE_ID = 'one database';

/** To hash a password as Roster does takes longer than most tests. */
export const QUICK_COST: Argon2Cost = { memory: 8, passes: 1, parallelism: 1 };

/** What a cookie is called in tests, without https. */
export function cookieName(use: 'session' | 'device' | 'flash'): string {
  return cookieOf({ config: { origin: undefined }, cookieMark: cookieMarkOf(DATABASE_ID) }, use, 0).name;
}

/** Takes what is to be done at the end of a test, or of a file of tests. */
type AtEnd = (end: () => Promise<void>) => void;

/** A folder that is gone after the test. */
export function temporaryFolder(atEnd: AtEnd = onTestFinished): string {
  const folder = mkdtempSync(join(FOLDERS, 'roster-test-'));
  atEnd(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An address where there is no database of Roster's yet, of the engine under test; what is made there is gone after the tests. */
export async function temporaryUrl(engine = inject('engine')): Promise<string> {
  return engine === 'sqlite' ? `sqlite:${join(temporaryFolder(), 'roster.db')}` : temporarySchema();
}

/** The address of a new database, as Roster has made it; it is gone after the tests. */
export async function readyUrl(engine = inject('engine'), atEnd?: AtEnd): Promise<string> {
  if (engine === 'postgres') return readySchema();
  const path = join(temporaryFolder(atEnd), 'roster.db');
  copyFileSync(inject('template'), path);
  return `sqlite:${path}`;
}

/** A database of the engine under test, opened as it is for requests. */
export async function temporaryDatabase(url?: string, connections = 5, stopwatch?: Stopwatch): Promise<Db> {
  const isReady = url === undefined && inject('engine') === 'postgres';
  const db = isReady
    ? await readyDatabase(connections)
    : await openDatabase(url ?? (await readyUrl()), { connections, stopwatch });
  onTestFinished(() => db.destroy());
  return db;
}

/** One that is as new: to make it anew for each test takes long on PostgreSQL. */
function emptyDatabase(): Promise<Db> {
  return inject('engine') === 'postgres' ? reusedDatabase() : temporaryDatabase();
}

/** A database that the tests of a file share, filled when the first of them asks for it: they only read it. */
export function sharedDatabase(fill: (db: Db) => Promise<unknown>): () => Promise<Db> {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });
  const make = async () => {
    const url = await readyUrl(undefined, (end) => ends.push(end));
    await fillAsCommand(url, fill);
    const db = await openDatabase(url, { connections: 5 });
    ends.push(() => db.destroy());
    return db;
  };
  let shared: Promise<Db> | undefined;
  return () => {
    shared ??= make();
    return shared;
  };
}

/** One of a test's own that is filled with very many. */
export async function filledDatabase(fill: (db: Db) => Promise<unknown>): Promise<Db> {
  const url = await readyUrl();
  await fillAsCommand(url, fill);
  return temporaryDatabase(url);
}

/** On a busy machine an index of very many takes longer than a statement of a request may. */
export async function fillAsCommand(url: string, fill: (db: Db) => Promise<unknown>): Promise<void> {
  const db = await openDatabase(url);
  await fill(db).finally(() => db.destroy());
}

/** However long a busy machine takes for a page, it is not given up. */
export const NO_TIME_PASSES: Stopwatch = () => 0;

/** As on a machine that takes a minute for whatever it does. */
export function minuteByMinute(): Stopwatch {
  let minutes = 0;
  return () => MINUTE * minutes++;
}

/** An app with an empty database, or a given one; closed after the test. */
export async function startApp(
  settings: Record<string, string> = {},
  db?: Db,
  clock: Clock = Date.now,
  stopwatch = NO_TIME_PASSES,
  mailLimit?: number,
): Promise<FastifyInstance> {
  const app = await makeApp(settings, db ?? (await emptyDatabase()), clock, stopwatch, mailLimit);
  onTestFinished(() => app.close());
  return app;
}

/** An app that the tests of a file share, filled when the first of them asks for it: they change nothing there. */
export function sharedApp(
  settings: Record<string, string> = {},
  fill: (db: Db) => Promise<unknown> = async () => {},
): () => Promise<FastifyInstance> {
  // Closed before its database is: what is to be done at the end is done from the last to the first.
  const database = sharedDatabase(fill);
  let shared: Promise<FastifyInstance> | undefined;
  afterAll(async () => (await shared)?.close());
  const make = async () => makeApp(settings, await database(), Date.now, NO_TIME_PASSES);
  return () => {
    shared ??= make();
    return shared;
  };
}

async function makeApp(
  settings: Record<string, string>,
  db: Db,
  clock: Clock,
  stopwatch: Stopwatch,
  mailLimit?: number,
) {
  const importFolder = join(temporaryFolder(), 'imports');
  const config: Config = { ...readConfig({ LOG_LEVEL: 'silent', ...settings }), importFolder };
  const keys = { secretKey: SECRET_KEY, databaseId: DATABASE_ID };
  const ledger = join(temporaryFolder(), 'erased.jsonl');
  const app = await buildApp({ config, db, ...keys, ledger, clock, stopwatch, mailLimit });
  app.passwordCost = QUICK_COST;
  return app;
}

/** A database on which something happens once, between the reading of a row and whatever is done with it. */
export function interrupted(
  db: Db,
  isRow: (row: Record<string, unknown>) => boolean,
  act: () => Promise<unknown>,
): Db {
  let isDone = false;
  return db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      if (!isDone && result.rows.some(isRow)) {
        isDone = true;
        await act();
      }
      return result;
    },
  });
}

/** Makes the app listen on a free port of this machine; its address, without a slash at the end. */
export async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return addressOf(app);
}

/** Of an app that listens. */
export function addressOf(app: FastifyInstance): string {
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

/** A user with the given fields and made-up others. */
export async function addUser(
  db: Db,
  user: Partial<NewUser> & { username: string },
  now = Date.now(),
): Promise<User> {
  const whole = {
    email: `${user.username}@example.org`,
    full_name: null,
    is_active: true,
    role: 'member' as const,
    ...user,
  };
  return (await transact(db, (trx) => createUser(trx, commandLine, whole, now))).user;
}

export async function addUsers(db: Db, usernames: readonly string[]): Promise<void> {
  for (const username of usernames) await addUser(db, { username });
}

/** Makes viewers, editors and administrators of some of the members there are: of 12,000, 120, 1,079 and 12. */
export async function giveRoles(db: Db): Promise<void> {
  await giveRole(db, 'admin', (id) => id % 1000 === 2);
  await giveRole(db, 'viewer', (id) => id % 100 === 1);
  await giveRole(db, 'editor', (id) => id % 11 === 0);
}

/** Gives a role to the members with some ids. */
export async function giveRole(db: Db, role: Role, isChosen: (id: number) => boolean): Promise<void> {
  await transact(db, async (trx) => {
    const members = await trx
      .selectFrom('users')
      .select(['id', 'is_active', 'role'])
      .where('role', '=', 'member')
      .execute();
    const chosen = members.filter(({ id }) => isChosen(id));
    const changed = chosen.map((user) => ({ ...user, role }));
    // Not all at once: for a statement there are three seconds, however busy the machine is.
    for (let from = 0; from < changed.length; from += 500) {
      const some = changed.slice(from, from + 500);
      const ids = some.map(({ id }) => id);
      await trx.updateTable('users').set({ role }).where(engineOf(trx).isOneOf('id', ids)).execute();
      await indexLastSignInsOf(trx, some);
    }
    await addToCounts(trx, [...countByKind(chosen, -1), ...countByKind(changed)]);
  });
}

/** The index of last sign-ins, and what the tables say of which it is one. */
export async function expectLastSignIns(db: Db): Promise<void> {
  const index = await db.selectFrom('last_sign_ins').selectAll().orderBy('user_id').execute();
  const users = await db
    .selectFrom('users')
    .leftJoin('credentials', 'user_id', 'id')
    .select(['id', 'role', 'is_active', 'last_sign_in_at'])
    .orderBy('id')
    .execute();
  const right = users
    .filter(maySignIn)
    .map(({ id, last_sign_in_at }) => ({ user_id: id, at: last_sign_in_at ?? -1 }));
  expect(index).toEqual(right);
}

/** When each has last signed in; who has no credentials is not here. */
export type SignIns = ReadonlyMap<number, number | null>;

/** Gives credentials to some of the users there are, with which nobody could sign in. */
export async function giveAccess(
  db: Db,
  isChosen: (user: User) => boolean,
  lastSignInOf: (user: User, index: number) => number | null,
): Promise<SignIns> {
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  const rows = users.filter(isChosen).map((user, index) => ({
    user_id: user.id,
    password_hash: '$argon2id$',
    changed_at: 1,
    code_secret: null,
    last_sign_in_at: lastSignInOf(user, index),
  }));
  for (let from = 0; from < rows.length; from += 1_000) {
    const some = rows.slice(from, from + 1_000);
    await transact(db, async (trx) => {
      await trx.insertInto('credentials').values(some).execute();
      await indexLastSignIns(trx, some[0]?.user_id ?? 0, some.at(-1)?.user_id);
    });
  }
  return new Map(rows.map(({ user_id, last_sign_in_at }) => [user_id, last_sign_in_at]));
}

export async function get(app: FastifyInstance, url: string, headers = {}): Promise<LightMyRequestResponse> {
  return sound(await app.inject({ url, headers: { host: 'localhost', ...headers } }));
}

/** Posts a form as a browser would. */
export async function post(
  app: FastifyInstance,
  url: string,
  fields: Record<string, string> | string = {},
  headers = {},
): Promise<LightMyRequestResponse> {
  const answer = await app.inject({
    method: 'POST',
    url,
    headers: { host: 'localhost', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
  });
  return sound(answer);
}

/** How long the pages were, in UTF-16 units, whose HTML has been looked at: one as long is most likely one of them again. */
const lengths = new Set<number>();

/** Forgets which pages have been looked at: other tests may ask for others. */
export function forgetPages(): void {
  lengths.clear();
}

/** An answer whose HTML, if it has any, is right: so are all pages that tests ask for. */
function sound(answer: LightMyRequestResponse): LightMyRequestResponse {
  const { headers, body } = answer;
  const isHtml = `${headers['content-type']}`.startsWith('text/html') && !headers['content-encoding'];
  if (!isHtml || body === '' || lengths.has(body.length)) return answer;
  expect(htmlProblems(body)).toEqual([]);
  lengths.add(body.length);
  return answer;
}

/** What a browser sends back of what an answer has set. */
export function cookiesOf({ cookies }: Pick<LightMyRequestResponse, 'cookies'>): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}
