/** Goes through all that is checked, beside whoever works with the database, and holds nobody up. */
import type { Db } from '../db/schema.ts';
import { DamagedError, DatabaseFailure } from '../errors.ts';
import { number } from '../lib/formats.ts';
import { checkCounts } from './counts.ts';
import { checkAccess, checkSets, checkWork } from './dangling.ts';
import { checkFiles, checkSearch } from './files.ts';
import {
  type Check,
  type CheckOptions,
  DAMAGED,
  type Fault,
  type Finding,
  PUT_BACK,
  REBUILD,
} from './finding.ts';
import { checkSchema } from './schema.ts';
import { checkSequences } from './sequences.ts';
import { checkUsers } from './users.ts';

const MOST_TOLD = 20;

/** What is worst first: the first that is found is what Roster's page says. */
export const CHECKS: readonly Check[] = [
  { name: 'the files of the database', isLong: false, find: checkFiles },
  { name: 'what it is made of', isLong: false, find: checkSchema },
  { name: 'what people sign in with', isLong: false, find: checkAccess },
  { name: 'numbers that are given next', isLong: false, find: checkSequences },
  { name: 'jobs and imports', isLong: false, find: checkWork },
  { name: 'change sets', isLong: true, find: checkSets },
  { name: 'users and their history', isLong: true, find: checkUsers },
  { name: 'totals', isLong: false, find: checkCounts },
  { name: 'searches', isLong: true, find: checkSearch, cure: REBUILD },
];

type Options = { quick?: boolean; ledger?: string; secretKeyFile?: string; begin?: (check: Check) => void };

export async function* findFaults(
  db: Db,
  { quick = false, ledger, secretKeyFile, begin = () => {} }: Options,
): AsyncGenerator<Finding> {
  const checks = CHECKS.filter(({ isLong }) => !(quick && isLong));
  for await (const { finding } of look(db, checks, { quick, ledger, secretKeyFile }, begin)) yield finding;
}

/** What can be mended in a file that is to be a database, or a backup. @param isShort without what takes long @param refuse what is thrown of damage */
export async function* findMendable(
  db: Db,
  { isShort, refuse }: { isShort: boolean; refuse: (what: string) => Error },
): AsyncGenerator<Finding> {
  const checks = CHECKS.filter(({ isLong }) => !(isShort && isLong));
  const how = { quick: false, ledger: undefined, secretKeyFile: undefined };
  for await (const { check, finding } of look(db, checks, how)) {
    const { what, todo } = finding;
    if (todo === DAMAGED || (check.find === checkSchema && todo !== REBUILD)) throw refuse(what);
    yield finding;
  }
}

async function* look(
  db: Db,
  checks: readonly Check[],
  how: CheckOptions,
  begin: (check: Check) => void = () => {},
): AsyncGenerator<{ check: Check; finding: Finding }> {
  let isWhole = true;
  for (const check of checks) {
    begin(check);
    for await (const finding of told(withDamage(check, check.find(db, how), isWhole))) {
      if (check.find === checkSchema) isWhole = false;
      yield { check, finding };
    }
  }
}

/** What is damaged, or lacks a table, may not be read to its end: what else there is to look at is looked at all the same. */
async function* withDamage(
  { name, cure = DAMAGED }: Check,
  faults: AsyncIterable<Fault>,
  isWhole: boolean,
): AsyncIterable<Fault> {
  try {
    yield* faults;
  } catch (error) {
    const isDamage = error instanceof DamagedError;
    if (!isDamage && (isWhole || error instanceof DatabaseFailure)) throw error;
    const what = `Of ${name}, not all can be read: there is damage.`;
    yield { kind: 'parts that cannot be read', what, todo: isDamage ? cure : PUT_BACK };
  }
}

async function* told(faults: AsyncIterable<Fault>): AsyncGenerator<Finding> {
  const counts = new Map<string, { count: number; todo: string }>();
  for await (const { kind, what, todo } of faults) {
    const count = (counts.get(kind)?.count ?? 0) + 1;
    counts.set(kind, { count, todo });
    if (count <= MOST_TOLD) yield { what, todo };
  }
  for (const [kind, { count, todo }] of counts)
    if (count > MOST_TOLD) yield { what: `And ${number.format(count - MOST_TOLD)} more ${kind}.`, todo };
}
