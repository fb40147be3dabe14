/** With which key the secrets in a backup are sealed, and whether it is at hand where it is restored. */
import { countSecondFactors, giveUpSecondFactors } from '../auth/credentials.ts';
import { readKeyFile } from '../auth/key-file.ts';
import { formerKeyFile, isKeyIn, nextKeyFile } from '../auth/key-rotation.ts';
import { forgetKey, readFingerprint, reseal } from '../auth/secret-key.ts';
import type { Db, Trx } from '../db/schema.ts';
import { keyBeside } from './names.ts';

export type KeyPlan =
  /** Nothing is sealed, or it is where it is looked for. */
  | { kind: 'fits' }
  /** Where it is looked for there is none. */
  | { kind: 'taken'; from: string; master: Buffer }
  /** There is another one there. */
  | { kind: 'resealed'; from: string; master: Buffer; by: Buffer }
  /** It is nowhere, and nothing is lost with it. */
  | { kind: 'forgotten' }
  | { kind: 'missing'; fingerprint: string; count: number }
  /** The same, and somebody has said that it is lost for good. */
  | { kind: 'given up'; fingerprint: string; count: number };

/** `path`: where the key is looked for. `isGivenUp`: where it is nowhere. */
type Where = { file: string; path: string; withoutAccess: boolean; isGivenUp: boolean };

/** @throws StartError */
export async function planKey(db: Db, { file, path, withoutAccess, isGivenUp }: Where): Promise<KeyPlan> {
  const fingerprint = await readFingerprint(db);
  if (fingerprint === undefined) return { kind: 'fits' };
  if ([path, nextKeyFile(path)].some((one) => isKeyIn(one, fingerprint))) return { kind: 'fits' };
  const from = [keyBeside(file), formerKeyFile(path, fingerprint)].find((one) => isKeyIn(one, fingerprint));
  const [master, by] = [from && readKeyFile(from), readKeyFile(path)];
  if (from && master) return by ? { kind: 'resealed', from, master, by } : { kind: 'taken', from, master };
  const count = withoutAccess ? 0 : await countSecondFactors(db);
  return count === 0
    ? { kind: 'forgotten' }
    : { kind: isGivenUp ? 'given up' : 'missing', fingerprint, count };
}

export async function applyKeyPlan(trx: Trx, plan: KeyPlan): Promise<void> {
  if (plan.kind === 'resealed') await reseal(trx, plan.master, plan.by);
  if (plan.kind === 'given up') await giveUpSecondFactors(trx);
  if (plan.kind === 'forgotten' || plan.kind === 'given up') await forgetKey(trx);
}
