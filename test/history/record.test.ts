/** History beside a model: whatever is done by whomever, and however clocks go, it gives back what everyone was. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { readRevision } from '../../src/db/revision.ts';
import { type Db, KEPT_FIELDS, type Trx, type User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ForbiddenError, NotFoundError, NotUniqueError } from '../../src/errors.ts';
import { findDeleted } from '../../src/history/deleted-queries.ts';
import { type KeptValues, unpackFields, unpackValues } from '../../src/history/fields.ts';
import type { KeptField } from '../../src/history/kinds.ts';
import { inOneSet } from '../../src/history/record.ts';
import { readStateAt } from '../../src/history/state-at.ts';
import {
  changeUser,
  changeUsers,
  createUser,
  createUsers,
  deleteUser,
  restoreUser,
} from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import type { NewUser } from '../../src/users/validation.ts';
import { runs } from '../runs.ts';
import { expectLastSignIns, temporaryDatabase } from '../support.ts';

const START = Date.UTC(2026, 0, 31);
const KEPT = Object.keys(KEPT_FIELDS) as KeptField[];

const person = (id: number, role: Actor['role']): Actor => ({
  ...commandLine,
  user: { id, username: `user${id}` },
  role,
  via: 'form',
});
const ACTORS = {
  administrator: person(1, 'admin'),
  editor: person(2, 'editor'),
  /** Who changes nothing but their own name and email. */
  viewer: person(3, 'viewer'),
  commandLine,
  visitor: { ...commandLine, role: 'editor', via: 'open' },
} satisfies Record<string, Actor>;

const id = fc.integer({ min: 1, max: 4 });
const changes = fc.record(
  {
    full_name: fc.constantFrom(null, 'Ada', 'x:["y"]', '{"1":2}'),
    is_active: fc.boolean(),
    role: fc.constantFrom('member', 'viewer'),
    username: fc.constantFrom('ada', 'bob', 'cy'),
  },
  { requiredKeys: [] },
);
const act = fc.record({
  kind: fc.constantFrom(
    'create',
    'change',
    'change',
    'change two',
    'change at once two',
    'create at once two',
    'delete',
    'delete two',
    'restore',
    'restore',
  ),
  by: fc.constantFrom(...(Object.keys(ACTORS) as (keyof typeof ACTORS)[]), 'administrator' as const),
  id,
  other: id,
  changes,
  /** Clocks differ, and are set back. */
  passed: fc.integer({ min: -150, max: 200 }),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;
type Outcome = { kind: string; user: Pick<User, 'id'> };

/** So that there is somebody from the start. */
const CREATED_FIRST: Act[] = [1, 2, 3].map((one) => ({
  kind: 'create',
  by: 'administrator',
  id: one,
  other: one,
  changes: {},
  passed: 100,
}));

/** What someone was from a time on, by whom; undefined while they are deleted. */
type Past = { at: number; user: User | undefined; actor: Actor }[];

/** What came of it for each whom it was about; undefined where it was refused. */
async function perform(db: Db, one: Act, now: number, made: number): Promise<Outcome[] | undefined> {
  const actor = ACTORS[one.by];
  const change = (trx: Parameters<typeof changeUser>[0], by: Actor, whom: number) =>
    changeUser(trx, by, whom, one.changes as never, now);
  return transact(db, async (trx): Promise<Outcome[]> => {
    if (one.kind === 'create') {
      return [await createUser(trx, actor, newUser(`user${made}`), now)];
    }
    if (one.kind.includes('at once')) return doAtOnce(trx, actor, one, now, made);
    if (one.kind === 'change two' || one.kind === 'delete two') {
      const isChange = one.kind === 'change two';
      const begun = { at: now, kind: isChange ? 'changed' : 'deleted' } as const;
      const both = await inOneSet(trx, actor, begun, async (many) => {
        const actOn = (whom: number) =>
          isChange ? change(trx, many, whom) : deleteUser(trx, many, whom, now);
        return [await actOn(one.id), await actOn(one.other)];
      });
      return both.result;
    }
    if (one.kind === 'change') return [await change(trx, actor, one.id)];
    return [await (one.kind === 'delete' ? deleteUser : restoreUser)(trx, actor, one.id, now)];
  }).catch((error: unknown) => {
    const isRefusal = [ForbiddenError, NotFoundError, NotUniqueError].some((kind) => error instanceof kind);
    if (isRefusal) return undefined;
    throw error;
  });
}

/** Two by one command; where one of them is not there, neither. */
async function doAtOnce(trx: Trx, actor: Actor, one: Act, now: number, made: number): Promise<Outcome[]> {
  const isChange = one.kind.startsWith('change');
  const begun = { at: now, kind: isChange ? 'changed' : 'created' } as const;
  const { result } = await inOneSet(trx, actor, begun, async (many) => {
    if (!isChange) return createUsers(trx, many, [newUser(`user${made}`), newUser(`user${made}b`)], now);
    const ids = [...new Set([one.id, one.other])];
    const users = await Promise.all(ids.map((id) => findUser(trx, id)));
    const wanted = ids.map((id, index) => ({ id, version: users[index]?.version ?? 1 }));
    const changes = wanted.map((user) => ({ ...user, changes: one.changes as never }));
    const changed = await changeUsers(trx, many, changes, now);
    return changed.kind === 'changed' ? changed.users : [];
  });
  return result.map((user) => ({ kind: 'done', user }));
}

function newUser(username: string): NewUser {
  return { username, email: `${username}@example.org`, full_name: null, is_active: true, role: 'member' };
}

const isDone = ({ kind }: Outcome) => !['unchanged', 'there already'].includes(kind);
const kept = (values: KeptValues | undefined) =>
  values && Object.fromEntries(KEPT.map((field) => [field, values[field]]));

/** All that an act could have changed. */
async function everything(db: Db) {
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  const sets = await db.selectFrom('change_sets').selectAll().orderBy('id').execute();
  const deleted = await db.selectFrom('deleted_users').selectAll().orderBy('id').execute();
  return { users, sets, changes: await changesOf(db), deleted, revision: await readRevision(db) };
}

function changesOf(db: Db) {
  return db
    .selectFrom('changes')
    .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
    .select(['user_id', 'version', 'fields', 'actor_id'])
    .select(({ fn }) => fn.coalesce('changes.at', 'change_sets.at').as('at'))
    .orderBy('user_id')
    .orderBy('version')
    .execute();
}

test('gives back what everyone was at any time, whoever did what, and what is refused leaves nothing', async () => {
  const moments = fc.array(fc.integer({ min: -100, max: 1_500 }), { maxLength: 10 });
  const property = fc.asyncProperty(
    fc.array(act, { minLength: 5, maxLength: 30 }),
    moments,
    async (acts, offsets) => {
      const db = await temporaryDatabase();
      const pasts = new Map<number, Past>();
      let now = START;
      for (const [index, one] of [...CREATED_FIRST, ...acts].entries()) {
        now += one.passed;
        const before = await everything(db);
        const outcomes = await perform(db, one, now, index);
        const done = outcomes?.filter(isDone) ?? [];
        if (outcomes === undefined || (done.length === 0 && !one.kind.endsWith(' two')))
          expect(await everything(db)).toEqual(before);
        else if (done.length > 0) expect(await readRevision(db)).toBeGreaterThan(before.revision);
        for (const outcome of done) note(pasts, outcome, ACTORS[one.by], now);
      }
      for (const [whom, past] of pasts) await expectPast(db, whom, past, offsets);
      await expectReplayed(db, pasts);
      await expectLastSignIns(db);
      await db.destroy();
    },
  );
  await fc.assert(property, runs(300));
});

function note(pasts: Map<number, Past>, { kind, user }: Outcome, actor: Actor, now: number): void {
  const past = pasts.get(user.id) ?? [];
  const after = kind === 'deleted' ? undefined : (user as User);
  const before = past.at(-1);
  if (kind === 'restored') expect(kept(after)).toEqual(kept(past.at(-2)?.user));
  past.push({ at: after?.updated_at ?? Math.max(now, before?.user?.updated_at ?? 0), user: after, actor });
  pasts.set(user.id, past);
}

async function expectPast(db: Db, whom: number, past: Past, offsets: readonly number[]): Promise<void> {
  const found = (await changesOf(db)).filter(({ user_id }) => user_id === whom);
  expect(found.map(({ version, at, actor_id }) => ({ version, at, actor_id }))).toEqual(
    past.map(({ at, actor }, index) => ({ version: index + 1, at, actor_id: actor.user?.id ?? null })),
  );
  const today = (await findUser(db, whom)) ?? (await findDeleted(db, whom));
  if (today === undefined) throw new Error(`Nobody has number ${whom}.`);
  const edges = past.flatMap(({ at }) => [at - 1, at]);
  for (const at of [...edges, ...offsets.map((offset) => START + offset)]) {
    // Of several at one moment the last counts.
    const last = past.findLast((one) => one.at <= at);
    const state = await readStateAt(db, today, at);
    if (last?.user === undefined) expect(state).toEqual({ kind: last ? 'deleted' : 'not yet' });
    else {
      expect(state).toMatchObject({ kind: 'there', version: last.user.version });
      expect(state.kind === 'there' && kept(state.values)).toEqual(kept(last.user));
    }
  }
}

/** From what each was created with, by what each change says that it replaced and put there, to the table as it is. */
async function expectReplayed(db: Db, pasts: ReadonlyMap<number, Past>): Promise<void> {
  const replayed = new Map<number, Record<string, unknown>>();
  const deleted = new Map<number, KeptValues>();
  for (const { user_id, version, fields } of await changesOf(db)) {
    const values = replayed.get(user_id);
    if (values === undefined) {
      const was = version === 1 ? pasts.get(user_id)?.[0]?.user : deleted.get(user_id);
      replayed.set(user_id, { ...kept(was), id: user_id, version });
    } else if (Object.keys(unpackFields(fields)).length === 0) {
      deleted.set(user_id, unpackValues(fields ?? ''));
      expect({ ...deleted.get(user_id), id: user_id, version: version - 1 }).toEqual(values);
      replayed.delete(user_id);
    } else {
      for (const [field, { was, became }] of Object.entries(unpackFields(fields))) {
        expect(values[field]).toEqual(was);
        values[field] = became;
      }
      values.version = version;
    }
  }
  const users = await db
    .selectFrom('users')
    .select(['id', 'version', ...KEPT])
    .orderBy('id')
    .execute();
  expect([...replayed.values()]).toEqual(users);
}
