/** What each row would do, as it is known from the directory beforehand; the commands judge it again. */
import type { Actor } from '../auth/actor.ts';
import { endsLastAdministrator } from '../auth/administrators.ts';
import { mayChangeFields, mayCreate, mayManage, whoMay } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import type { JudgedRow, Key, StagedRow } from '../db/stage-rows.ts';
import { usersByKeys } from '../db/users-by-keys.ts';
import { changedFields, type FieldChanges } from '../history/fields.ts';
import { number } from '../lib/formats.ts';
import { named, quotable } from '../lib/text.ts';
import { type NewUser, newUserSchema, type UserChanges } from '../users/validation.ts';
import { isSameButForLost } from './lost-letters.ts';
import type { Does, Match, Reason, Said, Verdict } from './types.ts';

export type Judging = {
  db: Db;
  actor: Pick<Actor, 'role' | 'user'>;
  match: Match;
  makesUsernames: boolean;
  /** Who are administrators no more, by rows before. */
  ended: number[];
};

/** `user`: whom it is about, or may be where it is refused; `by`: by what they were found, where it is not what was chosen; `values`: what the row says; `reasons`: why nothing. */
export type Judgement = {
  verdict: Verdict;
  user: User | undefined;
  by?: Match | undefined;
  does: Does | null;
  values: UserChanges;
  reasons: readonly Reason[];
};

/** Twins are known once all rows are there. */
export type RowToJudge = Pick<StagedRow, Key> & { said: Said; problems: readonly Reason[] } & Partial<
    Pick<JudgedRow, `${Key}_twin`>
  >;

const NEW = newUserSchema.pick({ full_name: true, is_active: true, role: true }).parse({});
const NEEDED = ['username', 'email'] as const;
const LACKS = { username: lackOf('username'), email: lackOf('email') };

const NOT_YOURSELF = 'Your own email address, status and role you change in Roster itself.';

type Found = Readonly<Record<Match, ReadonlyMap<number | string, User>>>;

export async function judgeRows(judging: Judging, rows: readonly RowToJudge[]): Promise<Judgement[]> {
  const found = await findAll(judging, rows);
  const judgements: Judgement[] = [];
  for (const row of rows) judgements.push(await judgeRow(judging, row, found));
  return judgements;
}

async function findAll({ db, match }: Judging, rows: readonly RowToJudge[]): Promise<Found> {
  const given = <T>(values: readonly (T | null)[]) => values.filter((value) => value !== null);
  const ids = match === 'id' ? given(rows.map(({ id }) => id)) : [];
  const [usernames, emails, users] = await Promise.all([
    usersByKeys(db, 'username_key', given(rows.map((row) => row.username_key))),
    usersByKeys(db, 'email_key', given(rows.map((row) => row.email_key))),
    usersByKeys(db, 'id', ids),
  ]);
  return {
    id: new Map(users.map((user) => [user.id, user])),
    username: new Map(usernames.map((user) => [user.username_key, user])),
    email: new Map(emails.map((user) => [user.email_key, user])),
  };
}

async function judgeRow(judging: Judging, row: RowToJudge, found: Found): Promise<Judgement> {
  const by = row.said.by ?? judging.match;
  const user = userOf(by, row, found);
  const values = saidBy(row.said, user === undefined);
  // Whatever numbers other programs give.
  const reasons = row.problems.filter(({ field }) => field !== 'id' || judging.match === 'id');
  // Of a row that cannot be told into cells nothing else is known.
  if (reasons.some(({ field }) => field === undefined))
    return { verdict: 'refused', user: undefined, does: null, values, reasons };
  const wrong = reasons.map(({ field }) => field);
  addTwins(reasons, judging.match, row, values, user);
  if (by === 'id' && row.id !== null && !user)
    reasons.push({ field: 'id', message: `There is no user ${row.id}.` });
  addTaken(reasons, row, values, found, user, user === undefined && isSought(by, row));
  const does = user
    ? await judgeChange(judging, reasons, user, values, wrong, by)
    : judgeCreation(judging, reasons, values, row, by);
  // Also who has what it gives to somebody else may be meant.
  const meant = user ?? holderOf(row, found);
  const foundBy = user && row.said.by;
  if (reasons.length > 0)
    return { verdict: 'refused', user: meant, by: foundBy, does: null, values, reasons };
  const isSame = does?.fields && Object.keys(does.fields).length === 0;
  const verdict = isSame ? 'same' : user ? 'changed' : 'created';
  return { verdict, user, by: foundBy, does, values, reasons };
}

function userOf(by: Match, row: RowToJudge, found: Found): User | undefined {
  const key = by === 'id' ? row.id : by === 'username' ? row.username_key : row.email_key;
  return key === null ? undefined : found[by].get(key);
}

function holderOf({ username_key, email_key }: RowToJudge, { username, email }: Found): User | undefined {
  return username.get(username_key ?? '') ?? email.get(email_key ?? '');
}

/** Of rows that share what nobody shares none is done: which is meant is not known. */
function addTwins(
  reasons: Reason[],
  match: Match,
  row: RowToJudge,
  values: UserChanges,
  user: User | undefined,
): void {
  const { id_twin, username_key_twin: username_twin, email_key_twin: email_twin } = row;
  const say = (field: Match, said: string | undefined, line: number | null | undefined) => {
    // The other row may have found the same person by another cell: it need not say what this one does.
    const what = field === match && user ? user.username : said;
    if (!line || what === undefined) return;
    const message = `${named(quotable(what))} is also on line ${number.format(line)}.`;
    if (!reasons.some((reason) => reason.message === message)) reasons.push({ field, message });
  };
  if (match === 'id') say('id', row.id === null ? undefined : `Number ${row.id}`, id_twin);
  say('username', values.username, username_twin);
  say('email', values.email, email_twin);
}

function addTaken(
  reasons: Reason[],
  row: RowToJudge,
  values: UserChanges,
  found: Found,
  user: User | undefined,
  isSoughtInVain: boolean,
): void {
  const holders = {
    username:
      row.username_key === null || values.username === undefined
        ? undefined
        : found.username.get(row.username_key),
    email: row.email_key === null || values.email === undefined ? undefined : found.email.get(row.email_key),
  };
  for (const field of NEEDED) {
    const holder = holders[field];
    if (holder && holder.id !== user?.id)
      reasons.push({
        field,
        message: `That ${field} already belongs to ${named(holder.username)}.${isSoughtInVain ? maybeSame(field) : ''}`,
        isTaken: true,
      });
  }
}

function isSought(by: Match, row: RowToJudge): by is 'username' | 'email' {
  return by !== 'id' && row[`${by}_key`] !== null;
}

/** Somebody who has another username by now, or another email, is found by the one that stays. */
function maybeSame(field: (typeof NEEDED)[number]): string {
  return ` If this is the same person, have rows matched by ${field}.`;
}

function judgeCreation(
  { actor, makesUsernames }: Judging,
  reasons: Reason[],
  values: UserChanges,
  row: RowToJudge,
  by: Match,
): Does | null {
  // Once there is an email, it is made of that.
  const needed = makesUsernames && values.email === undefined ? (['email'] as const) : NEEDED;
  for (const field of needed)
    if (values[field] === undefined && !reasons.some((reason) => reason.field === field))
      reasons.push({ field, message: isSought(by, row) ? nobodyBy(by, field) : LACKS[field] });
  const { role = NEW.role } = values;
  if (!mayCreate({ role })(actor)) reasons.push(notAllowed('role'));
  return null;
}

/** @param wrong what would be changed, too, if it were right */
async function judgeChange(
  judging: Judging,
  reasons: Reason[],
  user: User,
  values: UserChanges,
  wrong: readonly Reason['field'][],
  by: Match,
): Promise<Does> {
  const { db, actor, ended } = judging;
  const isLost = isSameButForLost(values.full_name ?? '', user.full_name ?? '');
  const after = { ...user, ...values, ...(isLost && { full_name: user.full_name }) } as User;
  const names = changedFields(user, after);
  const fields: FieldChanges = Object.fromEntries(
    names.map((name) => [name, { was: user[name], became: after[name] }]),
  );
  const does: Does = { username: user.username, fields, ...(isLost && { lost: true }) };
  if (names.length === 0 && wrong.length === 0) return does;
  if (by === 'id' && names.includes('username') && names.includes('email'))
    reasons.push({
      field: 'id',
      message: `User ${user.id} is ${named(user.username)}, with another username and another email.`,
    });
  // Of a word that is no role nobody knows whether it would be another one.
  const meant = [...names, ...wrong.filter((name) => name !== undefined && name !== 'role')];
  if (!mayChangeFields(actor, user, meant))
    reasons.push(notAllowed(names.includes('role') ? 'role' : undefined));
  if (user.id === actor.user?.id && meant.some((name) => ['email', 'is_active', 'role'].includes(name)))
    reasons.push({ field: undefined, message: NOT_YOURSELF });
  if (user.role !== 'admin') return does;
  if (await endsLastAdministrator(db, user, after, ended))
    reasons.push({ field: undefined, message: `${named(user.username)} is the last administrator.` });
  // Who is refused for something else stays.
  else if (reasons.length === 0 && (after.role !== 'admin' || !after.is_active)) ended.push(user.id);
  return does;
}

export function newUserOf(said: Said): NewUser {
  return { ...NEW, ...saidBy(said, true) } as NewUser;
}

/** What a row says: to who is there, nothing of what is for somebody new. */
export function saidBy(said: Said, isNew: boolean): UserChanges {
  // Most rows, at once.
  if (said.made === undefined && said.name === undefined && said.by === undefined) return said;
  const { made, name, by: _, ...values } = said;
  if (!isNew) return values;
  const full_name = values.full_name ?? name;
  return { ...(made && { username: made }), ...values, ...(full_name && { full_name }) };
}

function nobodyBy(match: 'username' | 'email', lacking: 'username' | 'email'): string {
  return `Nobody has this ${match}, and a new user needs ${lacking === 'email' ? 'an email address' : 'a username'}.`;
}

function notAllowed(field: 'role' | undefined): Reason {
  const what = field ? 'give this role' : 'change this user';
  const who = whoMay(mayManage);
  return { field, message: `Only ${who} may ${what}.` };
}

function lackOf(field: 'username' | 'email'): string {
  const { error } = newUserSchema.shape[field].safeParse(undefined);
  return error?.issues[0]?.message ?? '';
}
