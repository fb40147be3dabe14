/**
 * `node test/db/versions/make.ts [postgres://…/empty_database]` makes the database of the newest version with the code there
 * is: once for SQLite and once with the address of an empty database, when its migration is finished and before it is merged.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { commandLine } from '../../../src/auth/actor.ts';
import {
  findCredentials,
  noteSignIn,
  setCode,
  setCodeFailures,
  setPassword,
} from '../../../src/auth/credentials.ts';
import { addDraft } from '../../../src/auth/drafts.ts';
import { done, insertAnswer } from '../../../src/auth/idempotency-store.ts';
import { writeKey } from '../../../src/auth/key-file.ts';
import { hashPassword } from '../../../src/auth/password-hashing.ts';
import { sealSecret } from '../../../src/auth/second-factor-secrets.ts';
import { loadKey } from '../../../src/auth/secret-key.ts';
import { insertSession } from '../../../src/auth/sessions.ts';
import { insertTicket } from '../../../src/auth/tickets.ts';
import { hashOf } from '../../../src/auth/tokens.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { MIGRATIONS } from '../../../src/db/migration-list.ts';
import { ROLES, type Trx } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { eraseUser } from '../../../src/erasure/commands.ts';
import { inOneSet, recordAccess } from '../../../src/history/record.ts';
import { insertAbsent } from '../../../src/imports/absent-queries.ts';
import { beginImport } from '../../../src/imports/commands.ts';
import { insertInvitation } from '../../../src/invitations/queries.ts';
import { insertJob, saveJob } from '../../../src/jobs/queries.ts';
import { markMadeUp } from '../../../src/made-up-people/queries.ts';
import { beginRun, endRun } from '../../../src/maintenance/queries.ts';
import { changeUser, createUser, deleteUser, restoreUser } from '../../../src/users/commands.ts';

const ODD_NAMES = ['Jürgen Müller', 'Łódź Straße', 'Jeanne d’Arc', 'Σίσυφος', 'नमस्ते', 'かぎ'];
const NAMES = ['Ada Byron', 'Bao Nguyen', 'Chidi Okafor', 'Dana Levi', null, 'Eve Smith'];
const WRITES =
  /^\s*(create|alter|insert|update|delete|drop|with|begin|commit|rollback|savepoint|select setval)/i;

const folder = mkdtempSync(join(tmpdir(), 'roster-version-'));
const path = join(folder, 'roster.db');
const [, , url] = process.argv;
const statements = noteStatements();
const db = await openDatabase(url ?? `sqlite:${path}`);
let now = Date.UTC(2026, 10, 23, 4);
const inTurn = <T>(work: (trx: Trx, now: number) => Promise<T>) => {
  now += 60_000;
  return transact(db, (trx) => work(trx, now));
};

const add = (username: string, full_name: string | null, index: number) => {
  // Half of them are members.
  const role = ROLES[Math.max(0, (index % 6) - 2)] ?? 'member';
  const user = { username, email: `${username}@example.org`, full_name, is_active: index % 5 !== 3, role };
  return inTurn((trx, time) => createUser(trx, commandLine, user, time));
};
for (let index = 0; index < 52; index++) await add(`user${index}`, NAMES[index % 6] ?? null, index);
for (const [index, name] of ODD_NAMES.entries()) await add(`odd${index}`, name, index);
for (const [id, changes] of [
  [7, { full_name: 'Grace Hopper', is_active: false }],
  [8, { username: 'Renamed', email: 'Renamed@Example.ORG' }],
  [13, { role: 'viewer' }],
] as const)
  await inTurn((trx, time) => changeUser(trx, commandLine, id, changes, time));
await inTurn((trx, time) => changeUser(trx, commandLine, 14, { full_name: 'Zoë', role: 'viewer' }, time));
await inTurn((trx, time) =>
  inOneSet(trx, commandLine, { at: time, kind: 'access' }, async (many) => {
    for (const id of [19, 20]) await changeUser(trx, many, id, { role: 'viewer' }, time);
  }),
);
await inTurn((trx, time) => deleteUser(trx, commandLine, 9, time));
await inTurn((trx, time) => restoreUser(trx, commandLine, 9, time));
await inTurn((trx, time) => deleteUser(trx, commandLine, 9, time));
const { user: erased } = await add('erased', null, 0);
await inTurn((trx, time) => deleteUser(trx, commandLine, erased.id, time));
await inTurn((trx, time) => eraseUser(trx, commandLine, erased.id, time));
await inTurn((trx) => engineOf(trx).writeLastId(trx, 799_999));
await add('odd6', 'İSTANBUL', 0);
const { user: last } = await add('gone', null, 0);
await inTurn((trx, time) => deleteUser(trx, commandLine, last.id, time));

const keyFile = join(folder, 'key');
writeKey(keyFile, Buffer.alloc(32, 'key'));
const { key } = await loadKey(db, keyFile);
for (const id of [6, 11]) {
  const hash = await hashPassword(`password of ${id}`);
  await inTurn((trx, time) => setPassword(trx, id, hash, time));
}
await inTurn(async (trx, time) => {
  const sealed = sealSecret(key, 6, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
  await setCode(trx, 6, { sealed, step: 60_000_000, recoveryHashes: ['one', 'another'].map(hashOf) });
  await setCodeFailures(trx, 6, 2, time);
  const where = { address: '192.0.2.7', browser: 'Firefox on Linux' };
  await insertSession(trx, { token: 'token of 6', user_id: 6, ...where }, time);
  await noteSignIn(trx, 11, time);
  const session = await insertSession(trx, { token: 'token of 11', user_id: 11, ...where }, time);
  await addDraft(trx, session, { form: '/users/new', fields: { username: 'Zoë' } });
  await insertInvitation(trx, 12, 'link of 12', time);
  const credentials = await findCredentials(trx, 6);
  if (credentials) await insertTicket(trx, credentials, time);
  await markMadeUp(trx, [10]);
  await insertAnswer(
    trx,
    { hash: 'hash of a form', key },
    done('/users/12', 'User user11 created!', 12),
    time,
  );
  await insertJob(trx, { kind: 'undo', set_id: 1, actor_id: 11, params: '{}', total: 50 });
  await saveJob(trx, 1, { state: 'done', done: 50 });
  await insertJob(trx, { kind: 'undo', set_id: 2, actor_id: 11, params: '{}', total: 50 });
  await saveJob(trx, 2, { state: 'stopped', done: 20, failures: 5 });
  const folder = { path: '', id: 'identity of a folder', host: 'somewhere' };
  const brought = { file: 'one', name: 'users.csv', size: 100 };
  await beginImport(
    trx,
    { ...commandLine, via: 'form', user: { id: 11, username: 'user10' } },
    folder,
    brought,
    time,
  );
  await insertAbsent(trx, 1, [{ first_id: 2, last_id: 5 }]);
  const run = await beginRun(trx, 'backup', time);
  await endRun(trx, run, { outcome: 'good', file: '/somewhere/roster.db', size: 100, users: 58 }, time);
  await endRun(trx, await beginRun(trx, 'check', time, true), { outcome: 'good', users: 58 }, time);
  const someone = { id: 11, username: 'user10' };
  await recordAccess(trx, { ...commandLine, via: 'form', user: someone }, 'session ended', someone, time);
});
await db.destroy();

const bytes = url === undefined ? readFileSync(path) : Buffer.from(`${statements.join('\n')}\n`);
const name = `${MIGRATIONS.length}.${url === undefined ? 'db' : 'sql'}.gz`;
writeFileSync(join(import.meta.dirname, name), gzipSync(bytes, { level: 9 }), { flag: 'wx' });
rmSync(folder, { recursive: true });

/** Every statement from now on that writes to PostgreSQL, with its values in their places. */
function noteStatements(): string[] {
  const noted: string[] = [];
  const { query } = pg.Client.prototype;
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...args: readonly unknown[]) {
      const [first, second] = args;
      const config = typeof first === 'string' ? { text: first, values: second } : (first as pg.QueryConfig);
      const values = Array.isArray(config.values) ? config.values : [];
      const text = config.text.replaceAll(/\$(\d+)/g, (_whole, number) => {
        const value = values[number - 1];
        // A list of numbers.
        const written = Array.isArray(value) ? `{${value}}` : String(value);
        return value === null ? 'null' : pg.escapeLiteral(written);
      });
      if (WRITES.test(text)) noted.push(`${text};`);
      return Reflect.apply(query, this, args);
    },
  });
  return noted;
}
