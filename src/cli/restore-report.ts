/** What `restore` says: what a backup would bring, beside what is there, what is lost, and what became of it. */
import { basename } from 'node:path';
import { dateAsideOf, dateOf } from '../backup/file-names.ts';
import type { KeyPlan } from '../backup/key-plan.ts';
import type { Replaced } from '../backup/replace.ts';
import type { Summary } from '../backup/summary.ts';
import type { Finding } from '../check/finding.ts';
import { isBackup } from '../db/backup-file.ts';
import { MIGRATIONS } from '../db/migration-list.ts';
import { StartError } from '../errors.ts';
import { number, pluralize, time, usersOf } from '../lib/formats.ts';
import { isThere } from '../lib/make-file.ts';
import { plain } from '../lib/text.ts';

const UNKNOWN = 'cannot be read';
const COLUMN = 32;

type Column = readonly (string | undefined)[];

export function momentOf(file: string, found: Pick<Summary, 'begunAt' | 'lastChange'>): string {
  const { lastChange } = found;
  const at = timeOf(file, found);
  if (at !== undefined) return `of ${time(at)}`;
  return lastChange ? `whose last change was on ${time(lastChange.at)}` : 'without any change';
}

export function sayBoth(
  file: string,
  found: Summary,
  former: Summary | undefined,
  faults: readonly Finding[],
): void {
  table([
    ['', 'the backup', former && 'what is there'],
    [...madeOf(file, found), former && 'now'],
    ['version', ...both(found, former, ({ version }) => version)],
    ['users', ...both(found, former, ({ users }) => users && users.active + users.inactive)],
    ['  active', ...both(found, former, ({ users }) => users?.active)],
    ['  inactive', ...both(found, former, ({ users }) => users?.inactive)],
    ['administrators', ...both(found, former, ({ administrators }) => administrators)],
    ['last change', whenOf(found), former && whenOf(former)],
  ]);
  if (/\.before-version-\d+(\.\d+)?$/.test(file))
    console.log(
      `This is a kept file of version ${found.version}: restoring brings it to ${MIGRATIONS.length}. To go back to the older Roster, rename it instead.`,
    );
  if (found.lastChange) console.log(plain(`The last change in the backup: ${found.lastChange.what}`));
  if (former?.lastChange) console.log(plain(`The last change there: ${former.lastChange.what}`));
  console.log(lossOf(found, former));
  for (const { what, todo } of faults) console.warn(`Warning: in the backup: ${what} ${todo}`);
}

function madeOf(file: string, found: Summary): [string, string] {
  const aside = dateAsideOf(basename(file));
  if (aside !== undefined) return ['put aside', time(aside)];
  const at = timeOf(file, found);
  return ['made', at === undefined ? 'neither it nor its name says' : time(at)];
}

/** By what a backup says of itself, whatever it is called; what is no backup of Roster's may have one in it that was killed. */
function timeOf(file: string, { begunAt }: Pick<Summary, 'begunAt'>): number | undefined {
  return isBackup(file) && begunAt !== undefined ? begunAt : dateOf(basename(file));
}

function both(
  found: Summary,
  former: Summary | undefined,
  read: (summary: Summary) => number | undefined,
): [string, string | undefined] {
  const shown = (summary: Summary) => {
    const value = read(summary);
    return value === undefined ? UNKNOWN : number.format(value);
  };
  return [shown(found), former && shown(former)];
}

function whenOf({ lastChange }: Summary): string {
  return lastChange ? time(lastChange.at) : 'none';
}

function table(rows: readonly Column[]): void {
  for (const [name = '', one = '', other = ''] of rows)
    console.log(`${name.padEnd(16)}${one.padEnd(COLUMN)}${other}`.trimEnd());
}

function lossOf(found: Summary, former: Summary | undefined): string {
  if (former === undefined) return 'Nothing is there that would be lost.';
  if (former.version === undefined || former.users === undefined)
    return 'What is there cannot be read: all of it would be put aside as it is. Numbers that it has given to users since then are given again, to others.';
  if (former.identity !== found.identity)
    return 'It is of another database: all that is there would be put aside, and nothing of it be in this one.';
  const changes = former.changesSince;
  if (changes === undefined) return 'How many changes would be lost cannot be read.';
  if (changes === 0) return 'Nothing was changed there since.';
  return `Lost would be what was done since: ${pluralize(changes, 'change')}.`;
}

export function sayKey(key: KeyPlan, path: string): void {
  const said = sentenceOf(key, path);
  if (said) console.log(said);
}

function sentenceOf(key: KeyPlan, path: string): string | undefined {
  switch (key.kind) {
    case 'fits':
      return undefined;
    case 'taken':
      return `The secret key comes with it, from ${key.from}.`;
    case 'resealed':
      return `Second factors are sealed anew, with the key in ${path} in the place of the one in ${key.from}.`;
    case 'forgotten':
      return 'The secret key of before is not at hand, and nothing was sealed with it: Roster takes another one.';
    case 'missing':
      return missing(key, path);
    case 'given up':
      return `Given up with the key ${key.fingerprint}: ${secondFactors(key)}. Whoever has one is let in again by an administrator; an administrator: npm run roster -- admin NAME`;
  }
}

type Missing = Pick<KeyPlan & { kind: 'missing' }, 'fingerprint' | 'count'>;

/** What is sealed goes into another database by its key alone. */
export function missingKeyError(key: Missing, path: string): StartError {
  return new StartError(
    `${sealed(key, path)} Put the file with it there, or have SECRET_KEY_FILE say where it is; if it is lost for good, add --give-up-key: whoever has a second factor is let in again by an administrator then. Nothing was changed.`,
  );
}

function sealed({ fingerprint, count }: Missing, path: string): string {
  const secrets = count === 1 ? 'The secret' : 'The secrets';
  return `${secrets} of ${secondFactors({ count })} ${count === 1 ? 'is' : 'are'} sealed with the key ${fingerprint}${isThere(path) ? `, which is not in ${path}` : `, and there is no ${path}`}.`;
}

function secondFactors({ count }: Pick<Missing, 'count'>): string {
  return pluralize(count, 'second factor');
}

function missing({ fingerprint, count }: KeyPlan & { kind: 'missing' }, path: string): string {
  return `Warning: ${sealed({ fingerprint, count }, path)} Roster does not start with it before the right file is there, or SECRET_KEY_FILE says where it is. If it is lost for good, restore with --give-up-key, or give it up afterwards: npm run roster -- give-up-key ${fingerprint}; whoever has a second factor is let in again by an administrator then.`;
}

function erasedAgain(count: number): string {
  const them = count === 1 ? 'is' : 'are';
  return `Of those in it ${number.format(count)} had been erased since, and ${them} erased from it again.`;
}

const NO_LIST =
  'No list of the erased (erased.jsonl) was found: whoever was erased since this backup is back.';

type Restored = Replaced & {
  isLarge: boolean;
  withoutAccess: boolean;
  key: KeyPlan;
  path: string;
};

export function sayDone(done: Restored): void {
  const { users, erased, stopped, isListKnown, aside, isLarge, withoutAccess, key, path } = done;
  if (erased > 0) console.log(erasedAgain(erased));
  if (!isListKnown) console.log(NO_LIST);
  if (stopped > 0)
    console.log(`What was under way in it (${stopped}) is stopped: the history offers to go on with it.`);
  console.log(`Restored: ${usersOf(users)}.`);
  if (aside !== undefined)
    console.log(
      `What was there is kept in ${aside}. Remove it once all is well: it holds also whoever is erased later.`,
    );
  console.log(
    withoutAccess
      ? 'Nobody can sign in. Make an administrator before you start Roster: npm run roster -- admin alice --email alice@example.com'
      : `${howToStart(key, path)} Everyone signs in again, with the password of then; access links of then do not work any more.`,
  );
  if (isLarge)
    console.log(
      'Of so many users histories and searches were not looked through. Do that: npm run roster -- check',
    );
}

function howToStart(key: KeyPlan, path: string): string {
  return key.kind === 'missing'
    ? `Roster does not start yet: put the secret.key with the fingerprint ${key.fingerprint} at ${path}; if it is lost for good: npm run roster -- give-up-key ${key.fingerprint}.`
    : 'Start Roster.';
}
