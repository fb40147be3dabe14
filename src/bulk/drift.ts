/** What has become, since they were shown, of those to whom something is to be done: who came, who went, who was changed. */
import { engineOf } from '../db/engine.ts';
import type { Db, User } from '../db/schema.ts';
import type { Condition } from '../db/search-index.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { type DeletedUser, findDeletedByIds } from '../history/deleted-queries.ts';
import { type Person, personOf } from '../history/descriptions.ts';
import { type KeptValues, valuesBefore } from '../history/fields.ts';
import type { HistoryCursor } from '../history/list.ts';
import { type ChangeOfSet, findChangeSet, findNames } from '../history/queries.ts';
import { Deadline } from '../lib/deadline.ts';
import { type Candidate, conditionOf } from '../users/list/matching.ts';
import type { ListState } from '../users/list/state.ts';
import { wouldMatch } from '../users/list/would-match.ts';
import { type Act, whyLeft } from './acts.ts';
import type { Asking } from './candidates.ts';
import { changesSince, findSince, type HistorySnapshot } from './history-snapshot.ts';

const MOST_NAMED = 10;
/** Others wait for one: a few milliseconds. */
const BATCH = 250;
const PATIENCE_MS = 30_000;

type Fate = 'came' | 'went' | 'changed';

/** How many, and the first of them. */
type Group = { count: number; people: readonly Person[] };

/** `isWhole`: whether all changes were looked through. `since`: where the history of them begins, where there is any. */
export type Drift = Readonly<Record<Fate, Group>> & {
  was: number;
  isWhole: boolean;
  since?: HistoryCursor | undefined;
  amid?: readonly number[] | undefined;
};

type Counted = Record<Fate, { count: number; ids: number[] }>;

/** Of all who match. @param was how many were shown */
export async function findDrift(
  asking: Asking,
  act: Act,
  list: ListState,
  { total: was, snapshot }: { total: number; snapshot: HistorySnapshot },
): Promise<Drift> {
  const { db, stopwatch, gone } = asking;
  const deadline = Deadline.in(PATIENCE_MS, stopwatch, gone);
  const condition = await conditionOf(db, list);
  const counted: Counted = { came: nobody(), went: nobody(), changed: nobody() };
  let first: number | undefined;
  let isWhole = true;
  for await (const changes of changesSince(db, snapshot, BATCH)) {
    first ??= changes[0]?.set_id;
    const fates = engineOf(db).runBatch(() => fatesIn(asking, act, { list, condition, snapshot }, changes));
    for (const [id, fate] of await fates) add(counted[fate], id);
    isWhole = !deadline.isPast;
    if (!isWhole) break;
  }
  const groups = await named(db, counted);
  return { was, isWhole, since: await cursorBefore(db, first), amid: snapshot.amid, ...groups };
}

type Among = { list: ListState; condition: Condition; snapshot: HistorySnapshot };

/** Each user in the batch that has what was done to them first. */
async function fatesIn(
  { db, actor }: Asking,
  act: Act,
  { list, condition, snapshot }: Among,
  changes: readonly ChangeOfSet[],
): Promise<[id: number, Fate][]> {
  const changed = [...new Set(changes.map(({ user_id }) => user_id))];
  // Before what was done to them: of it all is taken back that was done to whoever is read here, and perhaps more.
  const people = await findPeople(db, changed, condition);
  const since = Map.groupBy(await findSince(db, changed, snapshot), ({ user_id }) => user_id);
  const histories = new Map<number, readonly ChangeOfSet[]>();
  for (const { user_id, version } of changes) {
    const history = withoutDoubt(since.get(user_id) ?? [], snapshot);
    if (history[0]?.version === version) histories.set(user_id, history);
  }
  const matched = await wouldMatch(db, list, [...histories.keys()]);
  const isWanted = (user: Candidate) => whyLeft(actor, user, act) === undefined;
  return [...histories].flatMap(([id, history]) => {
    const today = people.get(id);
    if (today === undefined) return [];
    const before = valuesBeforeAll(today, history);
    const was = before !== undefined && matched(id, before) && isWanted({ ...before, id });
    const is = 'is_match' in today && Boolean(today.is_match) && isWanted(today);
    return is || was ? [[id, is ? (was ? 'changed' : 'came') : 'went'] as const] : [];
  });
}

/** Whoever is deleted between is among those who are deleted. */
async function findPeople(db: Db, ids: readonly number[], condition: Condition) {
  const there = await usersByIds(db, ids)
    .selectAll('users')
    .select((where) => where.and([condition(where)]).as('is_match'))
    .execute();
  const all = [...there, ...(await findDeletedByIds(db, ids))];
  return new Map(all.map((one) => [one.id, one]));
}

/** What was done to a user since, from the first on of which it is known that it is not of before. */
function withoutDoubt(
  changes: readonly ChangeOfSet[],
  { amid = [] }: HistorySnapshot,
): readonly ChangeOfSet[] {
  const start = changes.findIndex(({ set_id }) => !amid.includes(set_id));
  return start === -1 ? [] : changes.slice(start);
}

function valuesBeforeAll(today: User | DeletedUser, changes: readonly ChangeOfSet[]): KeptValues | undefined {
  const now: KeptValues | undefined = 'fields' in today ? undefined : today;
  return changes.reduceRight((values, { fields }) => valuesBefore(values, fields), now);
}

async function cursorBefore(db: Db, set: number | undefined): Promise<HistoryCursor | undefined> {
  const first = set === undefined ? undefined : await findChangeSet(db, set);
  return first && { side: 'newer', at: first.at, id: first.id - 1 };
}

export async function findTickedDrift(
  db: Db,
  shown: readonly Pick<User, 'id' | 'version'>[],
): Promise<Drift> {
  const ids = shown.map(({ id }) => id);
  const there = await usersByIds(db, ids).select(['users.id', 'version']).execute();
  const versions = new Map(there.map(({ id, version }) => [id, version]));
  const went = ids.filter((id) => !versions.has(id));
  const changed = shown.filter(({ id, version }) => versions.has(id) && versions.get(id) !== version);
  const groups = await named(db, {
    came: nobody(),
    went: { count: went.length, ids: went },
    changed: { count: changed.length, ids: changed.map(({ id }) => id) },
  });
  return { was: shown.length, isWhole: true, ...groups };
}

function nobody(): Counted[Fate] {
  return { count: 0, ids: [] };
}

function add(group: Counted[Fate], id: number): void {
  group.count += 1;
  group.ids.push(id);
  if (group.ids.length > MOST_NAMED) group.ids = group.ids.sort(ascending).slice(0, MOST_NAMED);
}

function ascending(one: number, other: number): number {
  return one - other;
}

async function named(db: Db, counted: Counted): Promise<Record<Fate, Group>> {
  const all = Object.values(counted).flatMap(({ ids }) => ids);
  const names = await findNames(db, all, true);
  const groups = Object.entries(counted).map(([fate, { count, ids }]) => [
    fate,
    { count, people: ids.sort(ascending).map((id) => personOf(id, names)) },
  ]);
  return Object.fromEntries(groups) as Record<Fate, Group>;
}
