/** Codes of the second factor, and those in their place: each is used up by being right. */
import type { Db, Trx } from '../db/schema.ts';
import {
  type Credentials,
  countRecoveryCodes,
  redeemRecoveryCode,
  setCodeFailures,
  setCodeStep,
} from './credentials.ts';
import { openSecret } from './second-factor-secrets.ts';
import { refuseFormerKey } from './secret-key.ts';
import { FREE_FAILURES, waitAfter } from './throttle.ts';
import { codeOf, isToCome, stepOf } from './totp.ts';

/** Wrong codes in a row after which none is looked at any more: of 3,000 who guess, one has met one by then. */
export const MOST_FAILURES = 100;

/** `failures`: how many wrong ones came before the right one. */
export type CodeOutcome =
  | { kind: 'right'; failures: number; recoveryCodes?: number }
  | { kind: 'wrong' | 'locked' | 'lost' | 'removed' | 'no code' }
  | { kind: 'wait'; wait: number };

/** @param credentials locked */
export async function redeemCode(
  trx: Trx,
  key: Buffer,
  credentials: Credentials,
  typed: string,
  now: number,
): Promise<CodeOutcome> {
  const { kind, code } = codeOf(typed);
  if (kind === 'neither') return { kind: 'no code' };
  if (!credentials.code_secret) return { kind: 'removed' };
  const secret = await currentSecret(trx, key, credentials.user_id, credentials.code_secret);
  if (secret === undefined) return { kind: 'lost' };
  return kind === 'recovery'
    ? takeRecovery(trx, credentials, code)
    : takeDigits(trx, credentials, stepOf(code, secret, now), now);
}

/** Undefined where it was given up with its key. @throws UnavailableError where the key may have been changed. */
export async function currentSecret(
  db: Db,
  key: Buffer,
  userId: number,
  stored: string,
): Promise<string | undefined> {
  const secret = openSecret(key, userId, stored);
  if (secret === undefined) await refuseFormerKey(db, key);
  return secret;
}

/** Too long to be guessed, so nobody has to wait with one; it ends a lock. */
async function takeRecovery(
  trx: Trx,
  { user_id, code_failures }: Credentials,
  code: string,
): Promise<CodeOutcome> {
  if (!(await redeemRecoveryCode(trx, user_id, code))) return { kind: 'wrong' };
  await setCodeFailures(trx, user_id, 0, 0);
  return { kind: 'right', failures: code_failures, recoveryCodes: await countRecoveryCodes(trx, user_id) };
}

/** Wrong codes are counted by account: only with the password one gets here, so nobody else makes its owner wait. */
async function takeDigits(
  trx: Trx,
  { user_id, code_step, code_failures, code_failed_at }: Credentials,
  step: number | undefined,
  now: number,
): Promise<CodeOutcome> {
  if (code_failures >= MOST_FAILURES) return { kind: 'locked' };
  const wait = waitAfter({ failures: code_failures, failed_at: code_failed_at }, FREE_FAILURES, now);
  if (wait > 0) return { kind: 'wait', wait };
  // None up to the last one that was right; that one again is no guess, but a second click.
  if (step === code_step) return { kind: 'wrong' };
  // A last one that is still to come was right by a clock that has been set back since: it keeps nobody out until then.
  const last = isToCome(code_step, now) ? 0 : code_step;
  if (step === undefined || step < last) {
    await setCodeFailures(trx, user_id, code_failures + 1, now);
    return { kind: 'wrong' };
  }
  await setCodeStep(trx, user_id, step);
  await setCodeFailures(trx, user_id, 0, 0);
  return { kind: 'right', failures: code_failures };
}
