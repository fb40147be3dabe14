/** What several people do at once by HTTP, and what has to be there of it whenever their Roster ends. */
import { expect } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { unpackFields } from '../../src/history/fields.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { readCounts } from '../../src/users/counts.ts';
import { pageOf } from '../page.ts';
import { expectLastSignIns } from '../support.ts';

const WRITERS = 6;
/** Of ten acts so many are of somebody new. */
const NEW_OF_TEN = 3;
const SEARCHED = 3;

type Act = { kind: 'created' | 'deleted' | 'restored' } | { kind: 'changed'; full_name: string };

/** Somebody to whom one writer alone does something: each act makes the next version. */
export type Person = {
  username: string;
  id?: number | undefined;
  /** Those that were done. */
  acts: Act[];
  /** The form that was sent last, and where its answer led: undefined where nobody knows whether it was done. */
  sent?: { act: Act; path: string; fields: Record<string, string>; answer?: string | undefined } | undefined;
};

/** Whole numbers from 0 on, at random. */
export function below(end: number): number {
  return Math.floor(Math.random() * end);
}

const nameOf = ({ acts }: Person) => acts.findLast((act) => act.kind === 'changed')?.full_name ?? null;
const isDeleted = ({ acts }: Person) => acts.at(-1)?.kind === 'deleted';

/** Writers that create, change, delete and restore until nobody answers any more; they go on with whom there is. */
export function startActing(address: string, people: Person[]) {
  let oneMore = Promise.withResolvers<void>();
  let answered = 0;
  const write = async (own: Person[]) => {
    for (;;) {
      const isNew = own.length === 0 || below(10) < NEW_OF_TEN;
      const person: Person = isNew
        ? { username: `user${people.length}`, acts: [] }
        : (own[below(own.length)] as Person);
      if (isNew) [people, own].forEach((list) => void list.push(person));
      const isOver = !(await doNext(address, person));
      answered++;
      oneMore.resolve();
      if (isOver) return;
    }
  };
  // All are shared out before the first of them is written to.
  const shares = Array.from({ length: WRITERS }, (_, writer) =>
    people.filter((_person, index) => index % WRITERS === writer),
  );
  const ended = Promise.all(shares.map(write));
  return {
    ended,
    /** Waits until that many have been answered. */
    async until(count: number): Promise<void> {
      while (answered < count) {
        oneMore = Promise.withResolvers();
        await Promise.race([oneMore.promise, ended]);
      }
    },
  };
}

/** @returns whether it was answered. */
async function doNext(address: string, person: Person): Promise<boolean> {
  const act = nextAct(person);
  const { path, fields } = requestOf(person, act);
  person.sent = { act, path, fields: { ...fields, key: newToken() } };
  return (await send(address, person)) !== undefined;
}

/** @returns where the answer leads; undefined where none came. */
async function send(address: string, person: Person): Promise<string | undefined> {
  const { sent } = person;
  if (sent === undefined) return undefined;
  const { act, path } = sent;
  const body = new URLSearchParams(sent.fields);
  const answer = await fetch(address + path, { method: 'POST', body, redirect: 'manual' }).catch(
    () => undefined,
  );
  if (answer === undefined) return undefined;
  expect([answer.status, path]).toEqual([303, path]);
  sent.answer = answer.headers.get('location') ?? '';
  person.id ??= Number(/\d+$/.exec(sent.answer)?.[0]);
  if (person.acts.at(-1) !== act) person.acts.push(act);
  // Nobody may be there to send the rest.
  await answer.text().catch(() => {});
  return sent.answer;
}

/** What was sent last to the Roster before: it is done once, and whoever was answered gets that answer again. */
export async function sendAgain(address: string, people: readonly Person[]): Promise<void> {
  for (const person of people) {
    const before = person.sent?.answer;
    const answer = await send(address, person);
    if (before !== undefined) expect(answer).toBe(before);
    person.sent = undefined;
  }
}

function nextAct(person: Person): Act {
  if (person.id === undefined) return { kind: 'created' };
  if (isDeleted(person)) return { kind: 'restored' };
  if (below(5) === 0) return { kind: 'deleted' };
  return { kind: 'changed', full_name: `${person.username} name${person.acts.length}x` };
}

function requestOf({ id, username, acts }: Person, act: Act) {
  if (act.kind === 'created')
    return { path: '/users', fields: { username, email: `${username}@example.org` } };
  const path = `/users/${id}`;
  if (act.kind === 'changed')
    return { path, fields: { full_name: act.full_name, version: `${acts.length}` } };
  return { path: `${path}/${act.kind === 'deleted' ? 'delete' : 'restore'}`, fields: {} };
}

/** Opened as a start of Roster does. Each act that was acknowledged is there with its history, and no act is there by half. */
export async function expectWhole(url: string, people: readonly Person[]): Promise<void> {
  const db = await openDatabase(url);
  try {
    await expectHistory(db, people);
    const counts = await db
      .selectFrom('users')
      .select(['is_active', 'role', ({ fn }) => fn.countAll<number>().as('count')])
      .groupBy(['is_active', 'role'])
      .execute();
    expect((await readCounts(db)).filter(({ count }) => count > 0)).toEqual(counts);
    await expectLastSignIns(db);
  } finally {
    await db.destroy();
  }
}

async function expectHistory(db: Db, people: readonly Person[]): Promise<void> {
  const users = new Map(
    (await db.selectFrom('users').selectAll().execute()).map((user) => [user.username, user]),
  );
  const deleted = await db.selectFrom('deleted_users').select(['id', 'version']).execute();
  const changes = await db
    .selectFrom('changes')
    .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
    .select(['user_id', 'version', 'kind', 'fields', 'set_id'])
    .orderBy('version')
    .execute();
  const changesOf = Map.groupBy(changes, ({ user_id }) => user_id);
  for (const person of people) {
    const user = users.get(person.username);
    person.id ??= user?.id;
    const done = changesOf.get(person.id ?? 0) ?? [];
    // Whether the last act was done is known from here on.
    const { sent } = person;
    if (sent && !sent.answer && done.length > person.acts.length) person.acts.push(sent.act);
    expect(
      done.map(({ version, kind, fields }) => [version, kind, unpackFields(fields).full_name?.became]),
    ).toEqual(
      person.acts.map((act, index) => [
        index + 1,
        KINDS[act.kind],
        act.kind === 'changed' ? act.full_name : undefined,
      ]),
    );
    const expected = { version: done.length, full_name: nameOf(person) };
    if (done.length === 0 || isDeleted(person)) expect(user).toBeUndefined();
    else expect(user).toMatchObject(expected);
  }
  const gone = people.filter(isDeleted).map(({ id, acts }) => ({ id, version: acts.length }));
  expect(deleted.toSorted((one, other) => one.id - other.id)).toEqual(
    gone.toSorted((one, other) => (one.id ?? 0) - (other.id ?? 0)),
  );
  // One change in each set, and nobody and nothing besides.
  const sets = await db.selectFrom('change_sets').select('id').orderBy('id').execute();
  expect(changes.map(({ set_id }) => set_id).toSorted((one, other) => one - other)).toEqual(
    sets.map(({ id }) => id),
  );
  expect(users.size).toBe(people.filter((person) => person.acts.length > 0 && !isDeleted(person)).length);
}

/** Searches find some of them by what they are called now, and by nothing else. */
export async function expectFound(address: string, people: readonly Person[]): Promise<void> {
  const renamed = people.filter(({ acts }) => acts.some(({ kind }) => kind === 'changed'));
  for (const person of renamed.toSorted(() => Math.random() - 0.5).slice(0, SEARCHED)) {
    const names = person.acts.flatMap((act) => (act.kind === 'changed' ? [act.full_name] : []));
    for (const name of new Set([...names.slice(-3), nameOf(person)])) {
      const page = pageOf(
        await (await fetch(`${address}/users?q=${encodeURIComponent(`"${name}"`)}`)).text(),
      );
      const isNow = name === nameOf(person) && !isDeleted(person);
      expect(page.users, `${name}`).toEqual(isNow ? [person.id] : []);
    }
  }
}
