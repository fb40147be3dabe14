/** Each user beside what is made of them, and beside their history. */
import { maySignIn } from '../auth/policy.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { NEVER } from '../db/last-sign-ins.ts';
import type { Db, User } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { KINDS } from '../history/kinds.ts';
import { letTimersRun } from '../lib/progress.ts';
import { type Fault, PUT_BACK, REBUILD } from './finding.ts';
import * as queries from './queries.ts';
import { Replay } from './replay.ts';

const KEYS = ['username_key', 'email_key'];

/** Range by range, each of one moment: so nothing seems wrong that is merely being changed, and no moment is held for long. */
export async function* checkUsers(db: Db): AsyncIterable<Fault> {
  // Whoever comes meanwhile is left to the next check: there may be ever more.
  const end = await readSnapshot(db, (trx) => queries.findHighestId(trx, 'users'));
  for (let after = 0; after < end; ) {
    const [faults, last] = await readSnapshot(db, async (trx) => {
      const range = await queries.findRangeAfter(trx, after, end);
      return [await faultsIn(trx, range), range.last] as const;
    });
    yield* faults;
    after = last;
    await letTimersRun();
  }
}

async function faultsIn(db: Db, range: queries.Range): Promise<Fault[]> {
  const users = await queries.findUsersIn(db, range);
  const { indexed, kept } = await queries.findSignInsIn(db, range);
  const faults = users.flatMap((user) => [
    ...faultsOfColumns(user),
    ...faultsOfSignIn(user, indexed.get(user.id), kept.get(user.id) ?? NEVER),
  ]);
  return [...faults, ...(await faultsOfHistory(db, range, users))];
}

function faultsOfColumns(user: User): Fault[] {
  const wrong = Object.entries(derivedColumns(user)).filter(
    ([name, value]) => value !== user[name as keyof User],
  );
  if (wrong.length === 0) return [];
  const names = wrong.map(([name]) => name);
  const what = `Of user ${user.id}, ${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not what follows from their values.`;
  const todo = names.some((name) => KEYS.includes(name)) ? PUT_BACK : REBUILD;
  return [{ kind: 'users who are found or sorted by something else than their values', what, todo }];
}

function faultsOfSignIn(user: User, indexed: number | undefined, kept: number): Fault[] {
  const right = maySignIn(user) ? kept : undefined;
  if (indexed === right) return [];
  const what = maySignIn(user)
    ? `The list by last sign-in has user ${user.id} ${indexed === undefined ? 'not at all' : 'at another time than theirs'}.`
    : `The list by last sign-in has user ${user.id}, who may not sign in.`;
  return [{ kind: 'users whose last sign-in is listed wrongly', what, todo: REBUILD }];
}

async function faultsOfHistory(db: Db, range: queries.Range, users: readonly User[]): Promise<Fault[]> {
  const deleted = await queries.findDeletedIn(db, range);
  const erased = await queries.findErasedIn(db, range);
  const replays = new Map<number, Replay>();
  const of = (id: number) => {
    const replay = replays.get(id) ?? new Replay(id);
    replays.set(id, replay);
    return replay;
  };
  for (const user of users) of(user.id).user = user;
  for (const gone of deleted) of(gone.id).deleted = gone;
  for (const id of erased) of(id).isErased = true;
  for await (const change of queries.changesIn(db, range)) of(change.user_id).take(change);
  const beginnings = await queries.findBeginnings(db, range);
  return [...replays.values()].flatMap((replay) => {
    const began = beginnings.find(
      ({ first_id, last_id }) => Number(first_id) <= replay.id && replay.id <= Number(last_id),
    );
    return replay.end(began ? (began.kind === KINDS.loaded ? 1 : Infinity) : 0);
  });
}
