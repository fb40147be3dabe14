/** With which key the secrets in a backup are sealed, and whether it is at hand where it is restored. */
import { countSecondFactors, giveUpSecondFactors } from '../auth/credentials.ts';
import { readKeyFile } from '../auth/key-file.ts';
import { formerKeyFile, isKeyIn, nextKeyFile } from '../auth/key-rotation.ts';
import { forgetKey, readFingerprint, reseal } from '../auth/secret-key.ts';
import type { Db, Trx } from '../db/schema.ts';
import { keyBeside } from './file-names.ts';

// `fits`: nothing is sealed, or the key is where it is looked for. Else it is beside the backup, and where it is looked for there is
// none (`taken`) or another one (`resealed`); or it is nowhere, and nothing is lost (`forgotten`), or something, as somebody has said (`given up`) or not.
export type KeyPlan =
  | { kind: 'fits' }
  | { kind: 'taken'; from: string; master: Buffer }
  | { kind: 'resealed'; from: string; master: Buffer; by: Buffer }
  | { kind: 'forgotten' }
  | { kind: 'missing'; fingerprint: string; count: number }
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
