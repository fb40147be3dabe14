/** `npm run roster -- restore FILE`: puts a backup in the place of the database, once somebody has seen both and said so. */

import { lstatSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { placeKey } from '../auth/key-file.ts';
import { loadKey, readFingerprint } from '../auth/secret-key.ts';
import { type Draft, openDraft } from '../backup/draft.ts';
import { makeDraftFolder, removeLeftOvers } from '../backup/drafts.ts';
import { copyEverything } from '../backup/everything.ts';
import { type KeyPlan, planKey } from '../backup/key-plan.ts';
import { bringLedger } from '../backup/ledger.ts';
import { asideName, ledgersBeside } from '../backup/names.ts';
import { putBack } from '../backup/put-back.ts';
import { countByActive } from '../backup/queries.ts';
import { restoringBeside } from '../backup/restoring.ts';
import { type Summary, summarize, UNREADABLE } from '../backup/summary.ts';
import { type Config, readConfig } from '../config.ts';
import { filePathOf } from '../database-url.ts';
import { nameOf, openAsItIs, openDatabase } from '../db/database.ts';
import { asStartError } from '../db/failure.ts';
import { HeldFile } from '../db/held-file.ts';
import { noteLine } from '../erasure/again.ts';
import { ledgerOf, readLedger } from '../erasure/ledger.ts';
import { type Known, recognise } from '../erasure/recognise.ts';
import { LastAdministratorError, StartError } from '../errors.ts';
import { isThere } from '../lib/make-file.ts';
import { readArguments } from './arguments.ts';
import { askYesOrNo, UNCHANGED } from './ask.ts';
import { sayWhich } from './named-database.ts';
import { erasedAgain, momentOf, NO_LIST, needed, sayBoth, sayDone, sayKey } from './restore-report.ts';
import { StatusLine } from './status-line.ts';

const USAGE =
  'Say which backup: npm run roster -- restore /srv/backups/roster-2026-11-29T03-00-00Z.db [--without-access] [--give-up-key] [--yes]';

/** What the command ends with. */
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
  if (path !== undefined && isSame(file, path))
    throw new StartError(`${file} is the database itself: say which backup is to take its place.`);
  if (path !== undefined) refuseLooseLink(path);
  sayWhich('Database', nameOf(databaseUrl), path !== undefined && !isThere(path));
  if (path === undefined) refuseUsed(databaseUrl, await look(databaseUrl));
  // Before long work; and once more at its end.
  else new HeldFile(path).release();
  const beside = restoringBeside(databaseUrl, secretKeyFile);
  mkdirSync(dirname(beside), { recursive: true, mode: 0o700 });
  removeLeftOvers(beside);
  const folder = makeDraftFolder(beside);
  const line = new StatusLine();
  let draft: Draft | undefined;
  let held: HeldFile | undefined;
  try {
    draft = await openDraft(file, { folder, say: (what) => line.say(what) });
    line.clear();
    const summary = { ...(await summarize(draft.db)), version: draft.version };
    // Before it is held: then nobody can read it.
    const former = await look(databaseUrl, summary.lastChange?.id);
    const ledgers = [ledgerOf(databaseUrl, secretKeyFile), ...ledgersBeside(file)];
    const found = { ...summary, identity: await recognise(draft.db, knownFrom(former, ledgers)) };
    held = path === undefined ? undefined : new HeldFile(path);
    return await decide({ file, config, options, draft, found, former, held });
  } finally {
    line.clear();
    await draft?.db.destroy();
    rmSync(folder, { recursive: true, force: true });
    held?.release();
  }
}

type Restoring = {
  file: string;
  config: Config;
  options: Options;
  draft: Draft;
  found: Summary;
  /** What is there, if anything. */
  former: Summary | undefined;
  held: HeldFile | undefined;
};

async function decide(restoring: Restoring): Promise<number> {
  const { file, config, options, draft, found, former, held } = restoring;
  const key = await planKey(draft.db, { file, path: config.secretKeyFile, ...options });
  sayBoth(file, found, former, draft.faults);
  if (held === undefined && key.kind === 'missing') throw needed(key, config.secretKeyFile);
  sayKey(key, config.secretKeyFile);
  const answer = options.isSure || (await askYesOrNo('Restore it?'));
  if (answer === undefined) console.log('Not restored: nobody is there to be asked. Give --yes.');
  if (!answer) {
    console.log(UNCHANGED);
    return NOTHING_DONE;
  }
  const now = Date.now();
  const { users, aside } = await apply(restoring, key, now);
  const { isLarge } = draft;
  const path = config.secretKeyFile;
  sayDone({ users, aside, isLarge, withoutAccess: options.withoutAccess, key, path });
  return key.kind === 'missing' ? KEY_MISSING : DONE;
}

/** @returns how many users there are now, and where what was there is kept */
async function apply(
  { file, config, options, draft, found, former, held }: Restoring,
  key: KeyPlan,
  now: number,
): Promise<{ users: number; aside: string | undefined }> {
  const { secretKeyFile, importFolder, databaseUrl } = config;
  const ledger = ledgerOf(databaseUrl, secretKeyFile);
  const beside = ledgersBeside(file);
  const ledgers = [ledger, ...beside];
  const isOther = former?.identity !== found.identity || ledgers.some((one) => readLedger(one).length > 0);
  // First of all: afterwards nobody asks what is there any more, and until then it has to start.
  if (former?.erased && (isOther || former.erased.users.length > 0)) noteLine(ledger, former.erased);
  const of = momentOf(file, found);
  const wishes = { ...options, key, former, ledgers, importFolder, of, now };
  const { erased, stopped } = await putBack(draft.db, wishes);
  if (erased > 0) console.log(erasedAgain(erased));
  if (former?.identity !== found.identity && !ledgers.some(isThere)) console.log(NO_LIST);
  const { active, inactive } = await countByActive(draft.db);
  const users = active + inactive;
  if (stopped > 0)
    console.log(`What was under way in it (${stopped}) is stopped: the history offers to go on with it.`);
  if (key.kind === 'taken')
    placeKey(secretKeyFile, key.master, held?.isThere ? held.path : dirname(secretKeyFile));
  // Before it is there: whoever was erased is never known by one of the two alone.
  for (const one of beside) await bringLedger(draft.db, one, ledger);
  if (held === undefined) {
    await moveInto(databaseUrl, draft, secretKeyFile);
    return { users, aside: undefined };
  }
  await draft.db.destroy();
  const aside = asideName(held.path, now);
  held.replaceBy(draft.path, aside);
  return { users, aside: held.isThere ? aside : undefined };
}

async function moveInto(url: string, { db }: Draft, secretKeyFile: string): Promise<void> {
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

function knownFrom(former: Summary | undefined, ledgers: readonly string[]): Known[] {
  const lines = ledgers.flatMap(readLedger);
  if (former?.identity === undefined) return lines;
  const users = [...former.people, ...(former.erased?.users ?? [])];
  return [{ database: former.identity, users }, ...lines];
}

/** Undefined where there is none. @param since the number of a change after which they are counted */
async function look(url: string, since = 0): Promise<Summary | undefined> {
  const path = filePathOf(url);
  if (path !== undefined && !isThere(path)) return undefined;
  try {
    const db = await openAsItIs(url);
    try {
      const summary = await summarize(db, since);
      return path === undefined && !summary.version ? undefined : summary;
    } finally {
      await db.destroy();
    }
  } catch (error) {
    if (path === undefined) throw error;
    // Damaged so that it cannot even be opened.
    return UNREADABLE;
  }
}

/** @throws StartError */
function refuseUsed(url: string, former: Summary | undefined): void {
  const { active = 0, inactive = 0 } = former?.users ?? {};
  if (active + inactive > 0 || (former?.lastIds.change_sets ?? 0) > 0)
    throw new StartError(
      `${nameOf(url)} holds users already, or did: make another, empty database, and set DATABASE_URL to that. Nothing was changed.`,
    );
}

function isSame(file: string, path: string): boolean {
  const [one, other] = [file, path].map((name) => statSync(name, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Another file would take the place of the link, and nobody knows what was to be there. */
function refuseLooseLink(path: string): void {
  if (isThere(path) || !lstatSync(path, { throwIfNoEntry: false })) return;
  throw new StartError(
    `${path} is a symbolic link to what is not there: put that back, or remove the link. Nothing was changed.`,
  );
}

function onlyAdministrator(file: string): StartError {
  return new StartError(
    `The only administrator in ${file} has been erased since: restore it with --without-access, and make an administrator then. Nothing was changed.`,
  );
}
