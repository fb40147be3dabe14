/** `npm run roster -- copy --from … --to …`: moves everything from one database to another, empty one. */
import { loadKey, readFingerprint } from '../auth/secret-key.ts';
import { copyEverything } from '../backup/database-copy.ts';
import { bringLedger } from '../backup/ledger.ts';
import { readDatabaseUrl, readPath } from '../config.ts';
import { filePathOf, keyFileOf } from '../database-url.ts';
import { nameOf, openDatabase, openToRead } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { ledgerOf, readLedger } from '../erasure/ledger.ts';
import { noteLine, readLines } from '../erasure/ledger-replay.ts';
import { StartError } from '../errors.ts';
import { number } from '../lib/formats.ts';
import { reportProgress } from '../lib/progress.ts';
import { readArguments } from './arguments.ts';
import { refuseErased, sayWhich } from './named-database.ts';

const USAGE =
  'Say from where to where: npm run roster -- copy --from sqlite:data/roster.db --to postgres://user@host/database';

export async function copy(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, [
    'from',
    'from-env',
    'from-key',
    'to',
    'to-env',
    'to-key',
  ]);
  if (positionals.length > 0) throw new StartError(USAGE);
  const from = readAddress(env, '--from', values.from, values['from-env']);
  const to = readAddress(env, '--to', values.to, values['to-env']);
  if (from === to) throw new StartError('--from and --to are the same database.');
  const fromKey = keyPath(env, '--from-key', values['from-key'], from);
  const toKey = keyPath(env, '--to-key', values['to-key'], to);
  const source = await openToRead(from);
  try {
    sayWhich('From', nameOf(from));
    await refuseErased(source, from, ledgerOf(from, fromKey));
    // Before a target is made: without its key nothing of a source can be moved.
    const sourceKey = await findKey(source, fromKey);
    const target = await openDatabase(to, {
      announce: (name, isNew) => sayWhich('To', name, isNew),
    });
    try {
      console.log(`Its key: ${toKey}`);
      await bringErasures(source, ledgerOf(from, fromKey), target, ledgerOf(to, toKey));
      const keys = { from: sourceKey, to: (await loadKey(target, toKey)).key };
      const count = await copyEverything(source, target, keys, { progressOf: reportProgress });
      console.log(`All ${number.format(count)} users have arrived as they were.`);
      const left = filePathOf(from);
      if (left) console.log(afterwards(left));
    } finally {
      await target.destroy();
    }
  } finally {
    await source.destroy();
  }
}

/** A backup of the source may be restored where the target is: by their names, and before anybody is there. */
async function bringErasures(source: Db, from: string, target: Db, to: string): Promise<void> {
  const erased = await readLines(source);
  const isEmpty = (await engineOf(target).readLastId(target)) === 0;
  if (!isEmpty || (erased.every(({ users }) => users.length === 0) && readLedger(from).length === 0)) return;
  for (const line of [...(await readLines(target)), ...erased]) noteLine(to, line);
  await bringLedger(target, from, to);
}

/** An address as it is given, or from the variable that is named: the list of processes shows no password then. */
function readAddress(env: NodeJS.ProcessEnv, option: string, given = '', name = ''): string {
  if (Boolean(given) === Boolean(name)) throw new StartError(USAGE);
  if (given) return readDatabaseUrl(option, given);
  const value = env[name];
  if (!value) throw new StartError(`There is no environment variable of the name that ${option}-env gives.`);
  return readDatabaseUrl(name, value);
}

/** A file that lies where it lay is taken for the database. */
function afterwards(file: string): string {
  return `Afterwards move ${file} away, with ${file}-wal and ${file}-shm where they are there: a Roster or a command without the new DATABASE_URL still works on it.`;
}

function keyPath(env: NodeJS.ProcessEnv, option: string, given: string | undefined, url: string): string {
  if (given !== undefined) return readPath(option, given);
  return env.SECRET_KEY_FILE ? readPath('SECRET_KEY_FILE', env.SECRET_KEY_FILE) : keyFileOf(url);
}

async function findKey(source: Db, path: string): Promise<Buffer | undefined> {
  return (await readFingerprint(source)) === undefined ? undefined : (await loadKey(source, path)).key;
}
