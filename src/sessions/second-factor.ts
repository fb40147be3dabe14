/** Whether a code of the second factor, or one in its place, is right; and then it never is again. */
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { cleanRecoveryCode, stepOf } from './codes.ts';
import { countRecoveryCodes, takeRecoveryCode, takeStep } from './credentials.ts';

/** @returns with the number of recovery codes that are left, if one was used. */
export async function isRightCode(
  db: Db,
  { user_id, code_secret }: { user_id: number; code_secret: string | null },
  code: string,
  now: number,
): Promise<{ isRight: boolean; recoveryCodes?: number }> {
  if (code_secret === null) return { isRight: false };
  const step = stepOf(code, code_secret, now);
  if (step !== undefined) return { isRight: await transact(db, (trx) => takeStep(trx, user_id, step)) };
  const recovery = cleanRecoveryCode(code.slice(0, 100));
  return transact(db, async (trx) => {
    const isRight = await takeRecoveryCode(trx, user_id, recovery);
    return isRight ? { isRight, recoveryCodes: await countRecoveryCodes(trx, user_id) } : { isRight };
  });
}
