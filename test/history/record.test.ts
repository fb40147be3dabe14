/** History beside a model: whatever is done by whoever, and however clocks go, it gives back what everyone was. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { readRevision } from '../../src/db/revision.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { NotFoundError, NotUniqueError } from '../../src/errors.ts';
import { FIELDS, type KeptField } from '../../src/history/codes.ts';
import { findDeleted } from '../../src/history/queries.ts';
import { readStateAt } from '../../src/history/state-at.ts';
import { changeUser, createUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import { runs } from '../runs.ts';
import { temporaryDatabase } from '../support.ts';

const START = Date.UTC(2026, 0, 31);
const KEPT = Object.keys(FIELDS) as KeptField[];

const person = fc.integer({ min: 1, max: 4 });
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
  kind: fc.constantFrom('create', 'change', 'change', 'delete', 'restore'),
  id: person,
  changes,
  /** Clocks differ, and are set back. */
  passed: fc.integer({ min: -50, max: 200 }),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

/** What someone was from a time on; undefined while they are deleted. */
type Past = { at: number; user: User | undefined }[];

function perform(db: Db, actor: Actor, { kind, id, changes: given }: Act, now: number, made: number) {
  const username = `user${made}`;
  return transact(db, async (trx) => {
    if (kind === 'create') {
      const user = { username, email: `${username}@example.org`, is_active: true, role: 'member' as const };
      return createUser(trx, actor, { ...user, full_name: null }, now);
    }
    if (kind === 'change') return changeUser(trx, actor, id, given as never, now);
    return kind === 'delete' ? deleteUser(trx, actor, id, now) : restoreUser(trx, actor, id, now);
  }).catch((error: unknown) => {
    if (error instanceof NotFoundError || error instanceof NotUniqueError) return undefined;
    throw error;
  });
}

const kept = (user: User | undefined) =>
  user && Object.fromEntries(KEPT.map((field) => [field, user[field]]));

test('gives back what everyone was at any time, without a gap in their versions', async () => {
  const property = fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
    const db = await temporaryDatabase();
    const pasts = new Map<number, Past>();
    let now = START;
    for (const [index, one] of acts.entries()) {
      now += one.passed;
      const revision = await readRevision(db);
      const result = await perform(db, commandLine, one, now, index);
      const isDone =
        result !== undefined && !['unchanged', 'there already', 'deleted already'].includes(result.kind);
      expect(await readRevision(db)).toBeGreaterThan(revision - Number(!isDone));
      if (!isDone) expect(await readRevision(db)).toBe(revision);
      if (!isDone) continue;
      const { id } = result.user;
      const past = pasts.get(id) ?? [];
      const user = result.kind === 'deleted' ? undefined : (result.user as User);
      const before = past.at(-1);
      past.push({ at: user?.updated_at ?? Math.max(now, before?.user?.updated_at ?? 0), user });
      pasts.set(id, past);
    }
    for (const [id, past] of pasts) await expectPast(db, id, past);
    await db.destroy();
  });
  await fc.assert(property, runs(300));
});

async function expectPast(db: Db, id: number, past: Past): Promise<void> {
  const changes = await db
    .selectFrom('changes')
    .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
    .select(['version', 'change_sets.at as at'])
    .where('user_id', '=', id)
    .orderBy('version')
    .execute();
  expect(changes).toEqual(past.map(({ at }, index) => ({ version: index + 1, at })));
  const [first] = past;
  const today = (await findUser(db, id)) ?? (await findDeleted(db, id));
  if (today === undefined) throw new Error(`Nobody has number ${id}.`);
  expect(await readStateAt(db, today, (first?.at ?? 0) - 1)).toEqual({ kind: 'not yet' });
  for (const { at } of past) {
    // Of several at one moment the last counts.
    const then = past.findLast((one) => one.at <= at)?.user;
    const state = await readStateAt(db, today, at);
    if (then === undefined) expect(state).toEqual({ kind: 'deleted' });
    else {
      expect(state).toMatchObject({ kind: 'there', version: then.version });
      expect(state.kind === 'there' && kept(state.values as User)).toEqual(kept(then));
    }
  }
}
