/** `npm run roster -- restore FILE`: puts a backup in the place of the database, once somebody has seen both and said so. */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeDraftFolder, removeLeftOvers } from '../backup/draft-folder.ts';
import { ledgersBeside } from '../backup/file-names.ts';
import { planKey } from '../backup/key-plan.ts';
import { type Replacing, replace } from '../backup/replace.ts';
import { knownFrom, refuseUsed, summarizeReplaced } from '../backup/replaced-database.ts';
import { openRestorable, type Restorable } from '../backup/restorable.ts';
import { restoringBeside } from '../backup/restore-folder.ts';
import { summarize } from '../backup/summary.ts';
import { type Config, readConfig } from '../config.ts';
import { filePathOf } from '../database-url.ts';
import { nameOf } from '../db/database.ts';
import { asStartError } from '../db/failure.ts';
import { HeldFile } from '../db/held-file.ts';
import { recogniseDatabase } from '../erasure/database-identity.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { LastAdministratorError, StartError } from '../errors.ts';
import { isSameFile, isThere } from '../lib/make-file.ts';
import { readArguments } from './arguments.ts';
import { askYesOrNo, UNCHANGED } from './ask.ts';
import { sayWhich } from './named-database.ts';
import { missingKeyError, momentOf, sayBoth, sayDone, sayKey } from './restore-report.ts';
import { StatusLine } from './status-line.ts';

const USAGE =
  'Say which backup: npm run roster -- restore /srv/backups/roster-2026-11-29T03-00-00Z.db [--without-access] [--give-up-key] [--yes]';

const DONE = 0;
const KEY_MISSING = 1;
const NOTHING_DONE = 2;

type Options = { isSure: boolean; withoutAccess: boolean; isGivenUp: boolean };

/** @returns the code to end with: 0, 1 where it is restored and Roster needs its key before it starts, 2 where nothing was done */
export async function restore(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, [], ['without-access', 'give-up-key', 'yes']);
  const [typed, ...rest] = positionals;
  if (typed === undefined || rest.length > 0) throw new StartError(USAGE);
  const { DATABASE_URL, SECRET_KEY_FILE, IMPORT_FOLDER } = env;
  const config = readConfig({ DATABASE_URL, SECRET_KEY_FILE, IMPORT_FOLDER });
  const options = {
    isSure: values.yes ?? false,
    withoutAccess: values['without-access'] ?? false,
    isGivenUp: values['give-up-key'] ?? false,
  };
  const file = resolve(typed);
  return run(file, config, options).catch((error) => {
    if (error instanceof LastAdministratorError) throw onlyAdministrator(file);
    throw asStartError(error, `${file} cannot be restored`, 'What is there is as it was.');
  });
}

async function run(file: string, config: Config, options: Options): Promise<number> {
  const { databaseUrl, secretKeyFile } = config;
  const path = filePathOf(databaseUrl);
  if (path !== undefined) refusePath(file, path);
  sayWhich('Database', nameOf(databaseUrl), path !== undefined && !isThere(path));
  if (path === undefined) await refuseUsed(databaseUrl);
  // Before long work; and once more at its end.
  else new HeldFile(path).release();
  const beside = restoringBeside(databaseUrl, secretKeyFile);
  mkdirSync(dirname(beside), { recursive: true, mode: 0o700 });
  removeLeftOvers(beside);
  const folder = makeDraftFolder(beside);
  const line = new StatusLine();
  let restorable: Restorable | undefined;
  let held: HeldFile | undefined;
  try {
    restorable = await openRestorable(file, { folder, say: (what) => line.say(what) });
    line.clear();
    const summary = { ...(await summarize(restorable.db)), version: restorable.version };
    // Before it is held: then nobody can read it.
    const former = await summarizeReplaced(databaseUrl, summary.lastChange?.id);
    const ledgers = [ledgerOf(databaseUrl, secretKeyFile), ...ledgersBeside(file)];
    const found = {
      ...summary,
      identity: await recogniseDatabase(restorable.db, knownFrom(former, ledgers)),
    };
    held = path === undefined ? undefined : new HeldFile(path);
    return await decide({ file, config, restorable, found, former, held }, options);
  } finally {
    line.clear();
    await restorable?.db.destroy();
    rmSync(folder, { recursive: true, force: true });
    held?.release();
  }
}

async function decide(replacing: Replacing, options: Options): Promise<number> {
  const { file, config, restorable, found, former, held } = replacing;
  const path = config.secretKeyFile;
  const key = await planKey(restorable.db, { file, path, ...options });
  sayBoth(file, found, former, restorable.faults);
  if (held === undefined && key.kind === 'missing') throw missingKeyError(key, path);
  sayKey(key, path);
  const answer = options.isSure || (await askYesOrNo('Restore it?'));
  if (answer === undefined) console.log('Not restored: nobody is there to be asked. Give --yes.');
  if (!answer) {
    console.log(UNCHANGED);
    return NOTHING_DONE;
  }
  const { withoutAccess } = options;
  const wishes = { withoutAccess, key, of: momentOf(file, found), now: Date.now() };
  const replaced = await replace(replacing, wishes);
  sayDone({ ...replaced, isLarge: restorable.isLarge, withoutAccess, key, path });
  return key.kind === 'missing' ? KEY_MISSING : DONE;
}

function refusePath(file: string, path: string): void {
  if (isSameFile(file, path))
    throw new StartError(`${file} is the database itself: say which backup is to take its place.`);
  // Another file would take the place of the link, and nobody knows what was to be there.
  if (!isThere(path) && lstatSync(path, { throwIfNoEntry: false }))
    throw new StartError(
      `${path} is a symbolic link to what is not there: put that back, or remove the link. Nothing was changed.`,
    );
}

function onlyAdministrator(file: string): StartError {
  return new StartError(
    `The only administrator in ${file} has been erased since: restore it with --without-access, and make an administrator then. Nothing was changed.`,
  );
}
