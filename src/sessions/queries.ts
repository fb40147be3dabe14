/** Sessions and what people sign in with, in the database. */
import { rowsOf } from '../db/compiled.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { LastAdministratorError } from '../errors.ts';
import type { Role } from './policy.ts';
import { hashOf } from './tokens.ts';

const DAY = 24 * 60 * 60 * 1000;
/** How long a session that is over is remembered, in milliseconds: who comes back with it has their form kept. */
export const REMEMBERED = 30 * DAY;

export type Session = {
  id: number;
  user_id: number;
  username: string;
  role: Role;
  is_active: boolean;
  created_at: number;
  seen_at: number;
  /** Whether there is a second factor, and whether there has to be one. */
  is_code_set: boolean;
  is_code_required: boolean;
  /** Whether it has a form that was sent after an earlier session had ended. */
  is_drafting: boolean;
};

/** The session of a token, whether or not its time is over. */
export async function findSession(db: Db, token: string): Promise<Session | undefined> {
  const [session] = await rowsOf(db, 'session', { hash: hashOf(token) }, ({ hash }) =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .innerJoin('credentials', 'credentials.user_id', 'sessions.user_id')
      .innerJoin('role_rules', 'role_rules.role', 'users.role')
      .where('sessions.token_hash', '=', hash)
      .select((where) => [
        'sessions.id',
        'sessions.user_id',
        'users.username',
        'users.role',
        'users.is_active',
        'sessions.created_at',
        'sessions.seen_at',
        where('credentials.code_secret', 'is not', null).as('is_code_set'),
        'role_rules.is_code_required',
        where('sessions.draft', 'is not', null).as('is_drafting'),
      ]),
  );
  return session as Session | undefined;
}

export type NewSession = { token: string; user_id: number; address: string; browser: string };

export async function insertSession(
  trx: Trx,
  { token, ...session }: NewSession,
  now: number,
): Promise<number> {
  const { id } = await trx
    .insertInto('sessions')
    .values({ ...session, token_hash: hashOf(token), created_at: now, seen_at: now })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Notes that a session is in use. */
export async function touchSession(trx: Trx, id: number, now: number): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ seen_at: now })
    .where('id', '=', id)
    .where('seen_at', '<', now)
    .execute();
}

export async function deleteSession(trx: Trx, id: number): Promise<void> {
  await trx.deleteFrom('sessions').where('id', '=', id).execute();
}

/** @param exceptId the session that stays. */
export async function deleteSessionsOf(trx: Trx, userId: number, exceptId?: number): Promise<void> {
  const theirs = trx.deleteFrom('sessions').where('user_id', '=', userId);
  await (exceptId === undefined ? theirs : theirs.where('id', '!=', exceptId)).execute();
}

/** Gives a session another token. */
export async function renewSession(trx: Trx, id: number, token: string): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ token_hash: hashOf(token) })
    .where('id', '=', id)
    .execute();
}

export async function findSessionsOf(db: Db, userId: number) {
  return db
    .selectFrom('sessions')
    .select(['id', 'created_at', 'seen_at', 'address', 'browser'])
    .where('user_id', '=', userId)
    .orderBy('seen_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/** A form that was sent after its session had ended: where it is filled in, and what was typed. */
export type Draft = { form: string; fields: Readonly<Record<string, string>> };

export async function setDraft(trx: Trx, id: number, draft: Draft | undefined): Promise<void> {
  const text = draft === undefined ? null : JSON.stringify(draft);
  await trx.updateTable('sessions').set({ draft: text }).where('id', '=', id).execute();
}

export async function findDraft(db: Db, id: number): Promise<Draft | undefined> {
  const row = await db.selectFrom('sessions').select('draft').where('id', '=', id).executeTakeFirst();
  return row?.draft ? (JSON.parse(row.draft) as Draft) : undefined;
}

/** Forgets what nobody asks for any more: who has been gone for long, old links, old failures. */
export async function forgetOld(trx: Trx, now: number): Promise<void> {
  await trx
    .deleteFrom('sessions')
    .where('seen_at', '<', now - REMEMBERED)
    .execute();
  await trx
    .deleteFrom('guesses')
    .where('failed_at', '<', now - DAY)
    .execute();
}

export async function findCredentials(db: Db, userId: number) {
  return db.selectFrom('credentials').selectAll().where('user_id', '=', userId).executeTakeFirst();
}

/** @param hash of the password, by `hashPassword`. */
export async function setPassword(trx: Trx, userId: number, hash: string, now: number): Promise<void> {
  await trx
    .insertInto('credentials')
    .values({ user_id: userId, password_hash: hash, changed_at: now, code_secret: null })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({ password_hash: hash, changed_at: now }),
    )
    .execute();
}

/** The credentials as they are until the end of the transaction. */
export async function lockCredentials(trx: Trx, userId: number) {
  return trx
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
}

/** The same password, hashed as it is done now. */
export async function rehashPassword(trx: Trx, userId: number, hash: string): Promise<void> {
  await trx.updateTable('credentials').set({ password_hash: hash }).where('user_id', '=', userId).execute();
}

/** Sets the second factor, with the step of its first code and the hashes of new recovery codes; null removes it. */
export async function setCode(
  trx: Trx,
  userId: number,
  code: { secret: string; step: number; recoveryHashes: readonly string[] } | null,
): Promise<void> {
  await trx
    .updateTable('credentials')
    .set({ code_secret: code?.secret ?? null, code_step: code?.step ?? 0 })
    .where('user_id', '=', userId)
    .execute();
  await setRecoveryCodes(trx, userId, code?.recoveryHashes ?? []);
}

export async function setRecoveryCodes(trx: Trx, userId: number, hashes: readonly string[]): Promise<void> {
  await trx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  if (hashes.length > 0)
    await trx
      .insertInto('recovery_codes')
      .values(hashes.map((code_hash) => ({ code_hash, user_id: userId })))
      .execute();
}

export async function countRecoveryCodes(db: Db, userId: number): Promise<number> {
  const codes = await db
    .selectFrom('recovery_codes')
    .select('user_id')
    .where('user_id', '=', userId)
    .execute();
  return codes.length;
}

/** Uses up the codes of all steps up to one; false where they have been used up. */
export async function takeStep(trx: Trx, userId: number, step: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('credentials')
    .set({ code_step: step })
    .where('user_id', '=', userId)
    .where('code_step', '<', step)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Uses up a recovery code; false where there is none like it. */
export async function takeRecoveryCode(trx: Trx, userId: number, code: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('recovery_codes')
    .where('code_hash', '=', hashOf(code))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Whether someone can let others in: active, an administrator by role, and with a password. */
export async function hasAdministrator(db: Db): Promise<boolean> {
  return (await findAdministrators(db)).length > 0;
}

export async function isLastAdministrator(db: Db, id: number): Promise<boolean> {
  const administrators = await findAdministrators(db);
  return administrators.length === 1 && administrators[0]?.id === id;
}

/** Two of them, if there are so many. */
async function findAdministrators(db: Db) {
  return db
    .selectFrom('credentials')
    .innerJoin('users', 'users.id', 'credentials.user_id')
    .select('users.id')
    .where('users.role', '=', 'admin')
    .where('users.is_active', '=', true)
    .limit(2)
    .execute();
}

/** From now on, and until the end of the transaction, nobody else changes who is an administrator. */
export async function lockAdministrators(trx: Trx): Promise<void> {
  await trx.selectFrom('role_rules').select('role').where('role', '=', 'admin').forUpdate().execute();
}

/**
 * What goes with a change of a user, in its transaction and before it is written: who may do something else from now on,
 * or nothing any more, has to sign in again.
 * @param after undefined for someone who is to be deleted.
 * @throws LastAdministratorError when there would be none left.
 */
export async function followChange(
  trx: Trx,
  before: User,
  after: Pick<User, 'role' | 'is_active'> | undefined,
): Promise<void> {
  if (after?.role === before.role && (after.is_active || !before.is_active)) return;
  if (before.role === 'admin') {
    await lockAdministrators(trx);
    if (await isLastAdministrator(trx, before.id))
      throw new LastAdministratorError(`${before.username} is the last administrator.`);
  }
  await deleteSessionsOf(trx, before.id);
  await trx.deleteFrom('invitations').where('user_id', '=', before.id).execute();
}

export async function findRoleRules(db: Db) {
  return db.selectFrom('role_rules').selectAll().orderBy('role').execute();
}

export async function requireCode(trx: Trx, role: Role, isRequired: boolean): Promise<void> {
  await trx
    .updateTable('role_rules')
    .set({ is_code_required: isRequired })
    .where('role', '=', role)
    .execute();
}

/** What people sign in with, and what is asked of them: of everyone after one with an id. */
export async function findAccessAfter(db: Db, userId: number, limit: number) {
  const credentials = await db
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '>', userId)
    .orderBy('user_id')
    .limit(limit)
    .execute();
  const ids = credentials.map(({ user_id }) => user_id);
  const codes = db.selectFrom('recovery_codes').selectAll().where(engineOf(db).isOneOf('user_id', ids));
  const recoveryCodes = await codes.execute();
  // Here, since databases order text by rules of their own.
  recoveryCodes.sort((one, other) => (one.code_hash < other.code_hash ? -1 : 1));
  return { credentials, recoveryCodes };
}

export type Access = Awaited<ReturnType<typeof findAccessAfter>>;

export async function insertAccess(trx: Trx, { credentials, recoveryCodes }: Access): Promise<void> {
  if (credentials.length > 0) await trx.insertInto('credentials').values(credentials).execute();
  if (recoveryCodes.length > 0) await trx.insertInto('recovery_codes').values(recoveryCodes).execute();
}

const keys = new WeakMap<object, Promise<Buffer>>();

/** What `seal` seals with: the same for all Rosters on one database. */
export async function sealingKey(db: Db): Promise<Buffer> {
  const { adapter } = db.getExecutor();
  const known = keys.get(adapter) ?? readKey(db);
  keys.set(adapter, known);
  return known.catch((error) => {
    keys.delete(adapter);
    throw error;
  });
}

async function readKey(db: Db): Promise<Buffer> {
  const { value } = await db
    .selectFrom('secrets')
    .select('value')
    .where('name', '=', 'sealing key')
    .executeTakeFirstOrThrow();
  return Buffer.from(value, 'base64url');
}
