/** What `restore` says: what a backup would bring, beside what is there, what is lost, and what became of it. */
import { basename } from 'node:path';
import type { KeyPlan } from '../backup/key-plan.ts';
import { dateOf } from '../backup/names.ts';
import type { Summary } from '../backup/summary.ts';
import type { Finding } from '../check/finding.ts';
import { number, time, usersOf } from '../lib/formats.ts';
import { plain } from '../lib/text.ts';

const UNKNOWN = 'cannot be read';
const COLUMN = 32;

type Column = readonly (string | undefined)[];

/** Of when a backup is, in words. */
export function momentOf(file: string, { lastChange }: Pick<Summary, 'lastChange'>): string {
  const at = dateOf(basename(file));
  if (at !== undefined) return `of ${time(at)}`;
  return lastChange ? `whose last change was on ${time(lastChange.at)}` : 'without any change';
}

export function sayBoth(
  file: string,
  found: Summary,
  former: Summary | undefined,
  faults: readonly Finding[],
): void {
  const date = dateOf(basename(file));
  const made = date === undefined ? 'its name does not say' : time(date);
  table([
    ['', 'the backup', former && 'what is there'],
    ['made', made, former && 'now'],
    ['version', ...both(found, former, ({ version }) => version)],
    ['users', ...both(found, former, ({ users }) => users && users.active + users.inactive)],
    ['  active', ...both(found, former, ({ users }) => users?.active)],
    ['  inactive', ...both(found, former, ({ users }) => users?.inactive)],
    ['administrators', ...both(found, former, ({ administrators }) => administrators)],
    ['last change', whenOf(found), former && whenOf(former)],
  ]);
  if (found.lastChange) console.log(plain(`The last change in the backup: ${found.lastChange.what}`));
  if (former?.lastChange) console.log(plain(`The last change there: ${former.lastChange.what}`));
  console.log(lossOf(found, former));
  for (const { what, todo } of faults) console.warn(`Warning: in the backup: ${what} ${todo}`);
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
    return 'What is there cannot be read: all of it would be put aside as it is.';
  if (former.identity !== found.identity)
    return 'It is of another database: all that is there would be put aside, and nothing of it be in this one.';
  const changes = former.changesSince;
  if (changes === undefined) return 'How many changes would be lost cannot be read.';
  if (changes === 0) return 'Nothing was changed there since.';
  return `Lost would be what was done since: ${number.format(changes)} ${changes === 1 ? 'change' : 'changes'}.`;
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
  }
}

function missing({ fingerprint, count }: KeyPlan & { kind: 'missing' }, path: string): string {
  const who = count === 1 ? '1 second factor is' : `${number.format(count)} second factors are`;
  return `Warning: the secret of ${who} sealed with the key ${fingerprint}, which is not in ${path}. Roster does not start with it before the right file is there, or SECRET_KEY_FILE says where it is. If it is lost for good, give it up afterwards: npm run roster -- give-up-key ${fingerprint}; whoever has a second factor is let in again by an administrator then.`;
}

type Done = { found: Summary; aside: string | undefined; withoutAccess: boolean; key: KeyPlan };

export function sayDone({ found, aside, withoutAccess, key }: Done): void {
  const { active, inactive } = found.users ?? { active: 0, inactive: 0 };
  console.log(`Restored: ${usersOf(active + inactive)}.`);
  if (aside !== undefined)
    console.log(
      `What was there is kept in ${aside}. Remove it once all is well: it holds also whoever is erased later.`,
    );
  console.log(
    withoutAccess
      ? 'Nobody can sign in. Make an administrator before you start Roster: npm run roster -- admin alice --email alice@example.com'
      : 'Start Roster. Everyone signs in again, with the password of then; access links of then do not work any more.',
  );
  if (key.kind === 'missing') console.log(`Before Roster starts, put its key there: ${key.fingerprint}.`);
}
