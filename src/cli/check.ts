/** `npm run roster -- check`: looks for what is wrong in a database, beside a Roster that works with it, and says what to do. */
import { CHECKS, type Finding, findFaults } from '../check/run.ts';
import { readConfig } from '../config.ts';
import { openDatabase, openToRead } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { StartError } from '../errors.ts';
import { number, usersOf } from '../lib/formats.ts';
import { giveWay } from '../lib/progress.ts';
import { noted } from '../maintenance/noted.ts';
import { countByStatus } from '../users/counts.ts';
import { readArguments } from './arguments.ts';
import { sayWhich } from './named-database.ts';
import { StatusLine } from './status-line.ts';

const USAGE = 'Say no more than: npm run roster -- check, or check --quick';

/** @returns 1 where something is wrong */
export async function check(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, [], ['quick']);
  if (positionals.length > 0) throw new StartError(USAGE);
  const { DATABASE_URL, SECRET_KEY_FILE } = env;
  const { databaseUrl, secretKeyFile } = readConfig({ DATABASE_URL, SECRET_KEY_FILE });
  // One of another version is not brought up to date by being looked at.
  await (await openToRead(databaseUrl)).destroy();
  const db = await openDatabase(databaseUrl, { announce: (name) => sayWhich('Database', name) });
  try {
    const options = { quick: values.quick ?? false, ledger: ledgerOf(databaseUrl, secretKeyFile) };
    return (await look(db, options)) === 0 ? 0 : 1;
  } finally {
    await db.destroy();
  }
}

/** @returns how much is wrong */
async function look(db: Db, options: { quick: boolean; ledger: string }): Promise<number> {
  const started = performance.now();
  const line = new StatusLine();
  const looked: string[] = [];
  const begin = ({ name }: { name: string }) => {
    looked.push(name);
    line.say(`Looking at ${name} …`);
  };
  const { active, inactive } = await countByStatus(db);
  const count = await noted(db, 'check', async () => {
    const found: Finding[] = [];
    for await (const finding of findFaults(db, { ...options, begin })) {
      line.clear();
      if (found.push(finding) === 1) console.log('');
      console.log(`${finding.what}\n  ${finding.todo}\n`);
      await giveWay();
    }
    const problem = found[0] && `${number.format(found.length)} found, the first: ${found[0].what}`;
    const outcome = problem === undefined ? ('good' as const) : ('bad' as const);
    return { result: found.length, ended: { outcome, users: active + inactive, problem: problem ?? null } };
  });
  line.clear();
  const seconds = number.format(Math.ceil((performance.now() - started) / 1000));
  const means = await engineOf(db).meansOfFindingDamage(db, options.quick);
  const left = CHECKS.map(({ name }) => name).filter((name) => !looked.includes(name));
  console.log(count === 0 ? 'Nothing is wrong.' : `${number.format(count)} found.`);
  console.log(`Looked at, with ${usersOf(active + inactive)}, in ${seconds} s: ${looked.join('; ')}.`);
  console.log(`The files were looked at by ${means}.`);
  if (left.length > 0) console.log(`Left out for being quick: ${left.join('; ')}.`);
  return count;
}
