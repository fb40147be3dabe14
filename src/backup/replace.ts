/** A backup takes the place of a database, of which nothing is lost: whoever was erased, its last numbers, and the file itself. */
import { dirname } from 'node:path';
import { placeKey } from '../auth/key-file.ts';
import { loadKey, readFingerprint } from '../auth/secret-key.ts';
import type { Config } from '../config.ts';
import { openDatabase } from '../db/database.ts';
import type { HeldFile } from '../db/held-file.ts';
import type { Db } from '../db/schema.ts';
import { ledgerOf, readLedger } from '../erasure/ledger.ts';
import { noteLine } from '../erasure/ledger-replay.ts';
import { copyEverything } from './database-copy.ts';
import { asideName, ledgersBeside } from './file-names.ts';
import type { KeyPlan } from './key-plan.ts';
import { bringLedger } from './ledger.ts';
import { countByActive } from './queries.ts';
import { reconcile } from './reconcile.ts';
import type { Restorable } from './restorable.ts';
import { removeHalfAside } from './restore-folder.ts';
import type { Summary } from './summary.ts';

export type Replacing = {
  file: string;
  config: Pick<Config, 'databaseUrl' | 'secretKeyFile' | 'importFolder'>;
  restorable: Restorable;
  found: Summary;
  former: Summary | undefined;
  held: HeldFile | undefined;
};

export type Wishes = { withoutAccess: boolean; key: KeyPlan; of: string; now: number };

/** `erased`: how many in the backup had been since; `isListKnown`: whether anything says who was; `aside`: where what was there is kept. */
export type Replaced = {
  users: number;
  erased: number;
  stopped: number;
  isListKnown: boolean;
  aside: string | undefined;
};

/** @throws LastAdministratorError */
export async function replace(replacing: Replacing, wishes: Wishes): Promise<Replaced> {
  const { file, config, restorable, found, former, held } = replacing;
  const { db } = restorable;
  const { secretKeyFile, importFolder, databaseUrl } = config;
  const ledger = ledgerOf(databaseUrl, secretKeyFile);
  const beside = ledgersBeside(file);
  const ledgers = [ledger, ...beside];
  const isOther = former?.identity !== found.identity || ledgers.some((one) => readLedger(one).length > 0);
  const isListKnown =
    former?.identity === found.identity ||
    ledgers.flatMap(readLedger).some(({ database }) => database === found.identity);
  // First of all: afterwards nobody asks what is there any more, and until then it has to start.
  for (const line of former?.erased ?? []) if (isOther || line.users.length > 0) noteLine(ledger, line);
  const done = await reconcile(db, { ...wishes, former, ledgers, importFolder });
  const { active, inactive } = await countByActive(db);
  const { key } = wishes;
  if (key.kind === 'taken')
    placeKey(secretKeyFile, key.master, held?.isThere ? held.path : dirname(secretKeyFile));
  // Before it is there: whoever was erased is never known by one of the two alone.
  for (const one of beside) await bringLedger(db, one, ledger);
  const aside = await takePlace(replacing, wishes.now);
  return { ...done, users: active + inactive, isListKnown, aside };
}

async function takePlace({ config, restorable, held }: Replacing, now: number): Promise<string | undefined> {
  if (held === undefined) {
    await moveInto(config.databaseUrl, restorable.db, config.secretKeyFile);
    return undefined;
  }
  await restorable.db.destroy();
  const aside = asideName(held.path, now);
  removeHalfAside(held.path);
  held.replaceBy(restorable.path, aside);
  return held.isThere ? aside : undefined;
}

async function moveInto(url: string, db: Db, secretKeyFile: string): Promise<void> {
  const target = await openDatabase(url);
  try {
    const isSealed = (await readFingerprint(db)) !== undefined;
    const from = isSealed ? (await loadKey(db, secretKeyFile)).key : undefined;
    const { key: to } = await loadKey(target, secretKeyFile);
    await copyEverything(db, target, { from, to }, { isBackup: true });
  } finally {
    await target.destroy();
  }
}
