/** What people sign in with, moved from one database to another that has another key; sessions and links are left behind. */
import { createHash } from 'node:crypto';
import { type Access, findAccessAfter, insertAccess } from '../auth/credentials.ts';
import { GIVEN_UP, openSecret, sealSecret } from '../auth/second-factor-secrets.ts';
import type { Db, Trx } from '../db/schema.ts';
import { letTimersRun } from '../lib/progress.ts';
import { textOf } from './checksums.ts';
import { ROWS_AT_ONCE } from './tables.ts';

/** What secrets are sealed with, on either side; where there is no key yet they are in clear. */
export type Keys = { from: Buffer | undefined; to: Buffer | undefined };

export function copyAccess(from: Db, to: Trx, keys: Keys): Promise<string> {
  return sumUpAccess(from, keys.from, (some) => insertAccess(to, sealed(some, keys.to)));
}

export async function sumUpAccess(
  db: Db,
  key: Buffer | undefined,
  each: (access: Access) => Promise<void> = async () => {},
): Promise<string> {
  const hash = createHash('sha256');
  let last = 0;
  for (;;) {
    await letTimersRun();
    const access = opened(await findAccessAfter(db, last, ROWS_AT_ONCE), key);
    await each(access);
    for (const row of [...access.credentials, ...access.recoveryCodes]) hash.update(textOf(row));
    const end = access.credentials.at(-1);
    if (end === undefined) return hash.digest('hex');
    last = end.user_id;
  }
}

function opened(access: Access, key: Buffer | undefined): Access {
  if (key === undefined) return access;
  return withSecrets(access, (userId, stored) => openSecret(key, userId, stored) ?? GIVEN_UP);
}

function sealed(access: Access, key: Buffer | undefined): Access {
  if (key === undefined) return access;
  return withSecrets(access, (userId, secret) =>
    secret === GIVEN_UP ? GIVEN_UP : sealSecret(key, userId, secret),
  );
}

function withSecrets(
  { credentials, recoveryCodes }: Access,
  change: (userId: number, secret: string) => string,
): Access {
  const changed = credentials.map((row) => ({
    ...row,
    code_secret: row.code_secret === null ? null : change(row.user_id, row.code_secret),
  }));
  return { credentials: changed, recoveryCodes };
}
