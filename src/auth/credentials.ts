/** What people sign in with, in the database. */
import { engineOf } from '../db/engine.ts';
import { indexLastSignIns, makeLastSignIns } from '../db/last-sign-ins.ts';
import type { Db, Trx } from '../db/schema.ts';
import { GIVEN_UP } from './second-factor-secrets.ts';
import { hashOf } from './tokens.ts';

export async function findCredentials(db: Db, userId: number) {
  return db.selectFrom('credentials').selectAll().where('user_id', '=', userId).executeTakeFirst();
}

export type Credentials = NonNullable<Awaited<ReturnType<typeof findCredentials>>>;

/** Ends an access link as well, by which another one could be set. */
export async function setPassword(trx: Trx, userId: number, hash: string, now: number): Promise<void> {
  await trx
    .insertInto('credentials')
    .values({ user_id: userId, password_hash: hash, changed_at: now, code_secret: null })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({ password_hash: hash, changed_at: now }),
    )
    .execute();
  await endLinksOf(trx, [userId]);
}

/** Those that have been used (at 0) stay to say so. */
export async function endLinksOf(trx: Trx, userIds: readonly number[]): Promise<void> {
  await trx
    .deleteFrom('invitations')
    .where(engineOf(trx).isOneOf('user_id', userIds))
    .where('created_at', '>', 0)
    .execute();
}

export async function lockCredentials(trx: Trx, userId: number) {
  return trx
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
}

/** @returns false where the password has been changed meanwhile. */
export async function rehashPassword(
  trx: Trx,
  outdated: Credentials,
  password_hash: string,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('credentials')
    .set({ password_hash })
    .where('user_id', '=', outdated.user_id)
    .where('password_hash', '=', outdated.password_hash)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** null removes it, but neither its last step nor the number of wrong codes, of which its owner is still to hear. */
export async function setCode(
  trx: Trx,
  userId: number,
  code: { sealed: string; step: number; recoveryHashes: readonly string[] } | null,
): Promise<void> {
  await trx
    .updateTable('credentials')
    .set(
      code
        ? { code_secret: code.sealed, code_step: code.step, code_failures: 0, code_failed_at: 0 }
        : { code_secret: null },
    )
    .where('user_id', '=', userId)
    .execute();
  await setRecoveryCodes(trx, userId, code?.recoveryHashes ?? []);
}

export async function countSecondFactors(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('credentials')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('code_secret', 'is not', null)
    .where('code_secret', '!=', GIVEN_UP)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function deleteAccess(trx: Trx): Promise<void> {
  await trx.deleteFrom('recovery_codes').execute();
  await trx.deleteFrom('credentials').execute();
  await makeLastSignIns(trx);
}

export async function giveUpSecondFactors(trx: Trx): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('credentials')
    .set({ code_secret: GIVEN_UP })
    .where('code_secret', 'is not', null)
    .executeTakeFirstOrThrow();
  await trx.deleteFrom('recovery_codes').execute();
  await trx.deleteFrom('tickets').execute();
  return Number(numUpdatedRows);
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

export async function noteSignIn(trx: Trx, userId: number, now: number): Promise<void> {
  await trx
    .updateTable('credentials')
    .set({ last_sign_in_at: now, code_failures: 0, code_failed_at: 0 })
    .where('user_id', '=', userId)
    .execute();
  await indexLastSignIns(trx, userId, userId);
}

export async function setCodeStep(trx: Trx, userId: number, code_step: number): Promise<void> {
  await trx.updateTable('credentials').set({ code_step }).where('user_id', '=', userId).execute();
}

export async function setCodeFailures(
  trx: Trx,
  userId: number,
  code_failures: number,
  code_failed_at: number,
): Promise<void> {
  await trx
    .updateTable('credentials')
    .set({ code_failures, code_failed_at })
    .where('user_id', '=', userId)
    .execute();
}

export async function redeemRecoveryCode(trx: Trx, userId: number, code: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('recovery_codes')
    .where('code_hash', '=', hashOf(code))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

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
