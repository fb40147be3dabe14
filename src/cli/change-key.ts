/** `npm run roster -- change-key`: seals everything with a new key, as after someone has seen the old one. */

import { makeKeyFile, readKeyFile } from '../auth/key-file.ts';
import { fingerprintOf, formerKeyFile, moveNextIntoPlace, nextKeyFile } from '../auth/key-rotation.ts';
import { loadKey, readFingerprint, reseal } from '../auth/secret-key.ts';
import { readConfig } from '../config.ts';
import { engineOf } from '../db/engine.ts';
import { StartError } from '../errors.ts';
import { readArguments } from './arguments.ts';
import { openNamed } from './named-database.ts';

export async function changeKey(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  if (readArguments(args, []).positionals.length > 0)
    throw new StartError('Say no more than: npm run roster -- change-key');
  const { secretKeyFile: path } = readConfig({
    DATABASE_URL: env.DATABASE_URL,
    SECRET_KEY_FILE: env.SECRET_KEY_FILE,
  });
  const db = await openNamed(env);
  try {
    if ((await readFingerprint(db)) === undefined)
      throw new StartError('The database has no key yet, which the first start of Roster with it makes.');
    const { master } = await loadKey(db, path);
    // Left by a change that was stopped before anything was sealed with it.
    const next = readKeyFile(nextKeyFile(path)) ?? makeKeyFile(nextKeyFile(path));
    // Where it is stopped after this, the next start puts the file in its place.
    const count = await engineOf(db).overwrite(db, (trx) => reseal(trx, master, next));
    moveNextIntoPlace(path, master);
    console.log(
      `${path} holds a new key, with which the secrets of second factors (${count}) are sealed. Bring it to every machine that runs Roster, and start each again; whoever is signed in stays so. Earlier backups need ${formerKeyFile(path, fingerprintOf(master))}: remove it with the last of them. Whoever has had both knows the secrets: have those second factors set up anew.`,
    );
  } finally {
    await db.destroy();
  }
}
