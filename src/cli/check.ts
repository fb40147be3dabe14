/** `npm run roster -- check`: looks for what is wrong in a database, beside a Roster that works with it, and says what to do. */
import { resolve } from 'node:path';
import type { Finding } from '../check/finding.ts';
import { CHECKS, findFaults } from '../check/run.ts';
import { readConfig } from '../config.ts';
import { openToRead } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { DamagedError, DatabaseFailure, StartError } from '../errors.ts';
import { number, usersOf } from '../lib/formats.ts';
import { letTimersRun } from '../lib/progress.ts';
import { noteRun } from '../maintenance/note-run.ts';
import { countByStatus } from '../users/counts.ts';
import { readArguments } from './arguments.ts';
import { openUpToDate, sayWhich } from './named-database.ts';
import { StatusLine } from './status-line.ts';

const USAGE = 'Say no more than: npm run roster -- check, or check --quick; or which backup: check FILE';

export async function check(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, [], ['quick']);
  const [file, ...rest] = positionals;
  if (rest.length > 0) throw new StartError(USAGE);
  const quick = values.quick ?? false;
  if (file !== undefined) return checkBackup(resolve(file), quick);
  const { DATABASE_URL, SECRET_KEY_FILE } = env;
  const { databaseUrl, secretKeyFile } = readConfig({ DATABASE_URL, SECRET_KEY_FILE });
  const db = await openUpToDate(databaseUrl);
  try {
    const options = { quick, ledger: ledgerOf(databaseUrl, secretKeyFile), secretKeyFile };
    const work = async () => {
      const { found, users } = await look(db, options);
      const problem = found[0] ? `${number.format(found.length)} found, the first: ${found[0].what}` : null;
      const outcome = problem === null ? ('good' as const) : ('bad' as const);
      return { result: problem === null ? 0 : 1, ended: { outcome, users: users ?? null, problem } };
    };
    // What was found before holds until somebody has looked again.
    const endOf = (why: string) => ({
      outcome: null,
      problem: `It could not be done: ${why.replace(/\.$/, '')}.`,
    });
    return await noteRun(db, 'check', work, { isQuick: quick, endOf });
  } finally {
    await db.destroy();
  }
}

async function checkBackup(file: string, quick: boolean): Promise<number> {
  const db = await openToRead(`sqlite:${file}`);
  try {
    sayWhich('Backup', file);
    return (await look(db, { quick })).found.length === 0 ? 0 : 1;
  } finally {
    await db.destroy();
  }
}

async function look(
  db: Db,
  options: { quick: boolean; ledger?: string; secretKeyFile?: string },
): Promise<{ found: Finding[]; users: number | undefined }> {
  const started = performance.now();
  const line = new StatusLine();
  const looked: string[] = [];
  const begin = ({ name }: { name: string }) => {
    looked.push(name);
    line.say(`Looking at ${name} …`);
  };
  const users = await countUsers(db);
  const found: Finding[] = [];
  for await (const finding of findFaults(db, { ...options, begin })) {
    line.clear();
    if (found.push(finding) === 1) console.log('');
    console.log(`${finding.what}\n  ${finding.todo}\n`);
    await letTimersRun();
  }
  line.clear();
  const seconds = number.format(Math.ceil((performance.now() - started) / 1000));
  const left = CHECKS.map(({ name }) => name).filter((name) => !looked.includes(name));
  console.log(found.length === 0 ? 'Nothing is wrong.' : `${number.format(found.length)} found.`);
  const who = users === undefined ? '' : `, with ${usersOf(users)}`;
  console.log(`Looked at${who}, in ${seconds} s: ${looked.join('; ')}.`);
  for (const sentence of await meansOf(db, options.quick)) console.log(sentence);
  if (left.length > 0) console.log(`Left out for being quick: ${left.join('; ')}.`);
  return { found, users };
}

async function meansOf(db: Db, quick: boolean): Promise<string[]> {
  const { meansOfFindingDamage, meansOfCheckingSearches } = engineOf(db);
  const files = `The files were looked at by ${await meansOfFindingDamage(db, quick)}.`;
  if (quick) return [files];
  const searches = await meansOfCheckingSearches(db).catch(() => undefined);
  return searches === undefined ? [files] : [files, `Searches were looked at by ${searches}.`];
}

/** Undefined where there is no table of that, which is going to be found. */
async function countUsers(db: Db): Promise<number | undefined> {
  try {
    const { active, inactive } = await countByStatus(db);
    return active + inactive;
  } catch (error) {
    if (error instanceof DatabaseFailure && !(error instanceof DamagedError)) throw error;
    return undefined;
  }
}
