/** What points at users, change sets and jobs that are not there. */
import { findMissingKey } from '../auth/secret-key.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { isAboutAccess, KINDS, type Kind, nameOfCode } from '../history/kinds.ts';
import { usersOf } from '../lib/formats.ts';
import { letTimersRun } from '../lib/progress.ts';
import * as dangling from './dangling-queries.ts';
import { type CheckOptions, type Fault, PUT_BACK } from './finding.ts';
import * as queries from './queries.ts';

const OWNED: Readonly<Record<(typeof dangling.OF_USERS)[number], string>> = {
  credentials: 'a password',
  recovery_codes: 'a recovery code',
  sessions: 'a session',
  invitations: 'an access link',
  tickets: 'a sign-in that waits for its code',
  last_sign_ins: 'a place in the list by last sign-in',
  made_up_people: 'a note that they were made up',
};

export async function* checkAccess(db: Db, { secretKeyFile }: CheckOptions): AsyncIterable<Fault> {
  const missing = secretKeyFile === undefined ? undefined : await findMissingKey(db, secretKeyFile);
  if (missing) yield { kind: 'keys', ...missing };
  for (const table of dangling.OF_USERS)
    for (const id of await dangling.findMissingUsers(db, table))
      yield {
        kind: `users who are not there, and of whom there is ${OWNED[table]}`,
        what: `There is ${OWNED[table]} of user ${id}, who is not there.`,
        todo: PUT_BACK,
      };
}

const NAMED: Readonly<Record<(typeof dangling.OF_SETS)[number], string>> = {
  deleted_users: 'Someone was deleted',
  erasures: 'Someone was erased',
  jobs: 'A job works',
  imports: 'An import was done',
};

export async function* checkWork(db: Db): AsyncIterable<Fault> {
  for (const table of dangling.OF_SETS)
    for (const id of await dangling.findMissingSets(db, table)) {
      const what = `${NAMED[table]} in change set ${id}, which is not there.`;
      yield { kind: 'change sets that are not there', what, todo: PUT_BACK };
    }
  for (const id of await dangling.findUndosOfMissingSets(db)) {
    const what = `Change set ${id} undoes one that is not there.`;
    yield { kind: 'change sets that undo nothing', what, todo: PUT_BACK };
  }
  for (const id of await dangling.findImportsWithoutJob(db)) {
    const what = `Import ${id} is being applied, and has no job.`;
    yield { kind: 'imports without a job', what, todo: PUT_BACK };
  }
}

export async function* checkSets(db: Db): AsyncIterable<Fault> {
  const end = await readSnapshot(db, (trx) => queries.findHighestId(trx, 'change_sets'));
  for (let after = 0; after < end; ) {
    const [faults, last] = await readSnapshot(db, async (trx) => {
      const sets = await queries.findSetsAfter(trx, after);
      const last = sets.at(-1)?.id ?? end;
      const counts = await queries.countChanged(trx, after, last);
      return [sets.filter(({ id, users, kind }) => isOther(kind, users, counts.get(id) ?? 0)), last] as const;
    });
    for (const { id, users } of faults) {
      const what = `Change set ${id} says that it changed ${usersOf(users)}, and there are not as many changes.`;
      yield { kind: 'change sets with another number of users', what, todo: PUT_BACK };
    }
    after = last;
    await letTimersRun();
  }
}

const WITHOUT_CHANGES: readonly (Kind | undefined)[] = ['loaded', 'copied', 'began', 'exported'];

function isOther(code: number, users: number, changed: number): boolean {
  const kind = nameOfCode(KINDS, code);
  if (WITHOUT_CHANGES.includes(kind)) return changed !== 0;
  // What was done to how someone signs in changes nobody, a role does.
  return kind !== undefined && isAboutAccess(kind) && changed === 0 ? false : changed !== users;
}
