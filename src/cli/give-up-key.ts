/** `npm run roster -- give-up-key FINGERPRINT`: goes on without a key that is lost, and without what was sealed with it. */

import { commandLine } from '../auth/actor.ts';
import { giveUpSecondFactors } from '../auth/credentials.ts';
import { makeKeyFile, readKeyFile } from '../auth/key-file.ts';
import { formerKeyFile, isKeyIn, nextKeyFile } from '../auth/key-rotation.ts';
import { readFingerprint, writeFingerprint } from '../auth/secret-key.ts';
import { readConfig } from '../config.ts';
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { StartError } from '../errors.ts';
import { recordAccess } from '../history/record.ts';
import { readArguments } from './arguments.ts';
import { openNamed } from './named-database.ts';

export async function giveUpKey(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const [fingerprint, ...rest] = readArguments(args, []).positionals;
  if (!fingerprint || rest.length > 0)
    throw new StartError(
      'Say which: npm run roster -- give-up-key FINGERPRINT, as Roster writes it at start.',
    );
  const { secretKeyFile: path } = readConfig({
    DATABASE_URL: env.DATABASE_URL,
    SECRET_KEY_FILE: env.SECRET_KEY_FILE,
  });
  const db = await openNamed(env);
  try {
    const present = await checkLost(db, fingerprint, path);
    const key = present ?? makeKeyFile(path);
    const count = await transact(db, async (trx) => {
      await writeFingerprint(trx, key);
      const given = await giveUpSecondFactors(trx);
      await recordAccess(trx, commandLine, 'second factors given up', undefined, Date.now(), String(given));
      return given;
    });
    console.log(
      `The key ${fingerprint} is given up; the database's is the one in ${path}. Whoever has a second factor (${count}) cannot sign in until an administrator removes it; an administrator is let in again with: npm run roster -- admin NAME`,
    );
  } finally {
    await db.destroy();
  }
}

/** @returns another key in its place, if any. @throws StartError when the key is not the database's, or is there. */
async function checkLost(db: Db, fingerprint: string, path: string): Promise<Buffer | undefined> {
  if ((await readFingerprint(db)) !== fingerprint)
    throw new StartError(`${fingerprint} is not the key of this database; nothing was given up.`);
  const holder = [path, nextKeyFile(path), formerKeyFile(path, fingerprint)].find((file) =>
    isKeyIn(file, fingerprint),
  );
  if (holder)
    throw new StartError(
      `${holder} holds that key: nothing is lost. Start with it, by SECRET_KEY_FILE; for another one: npm run roster -- change-key`,
    );
  return readKeyFile(path);
}
