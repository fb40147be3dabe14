/** What is kept of one person, as they are given it: times in ISO 8601, and no secret. */
import { countRecoveryCodes, findCredentials } from '../auth/credentials.ts';
import { type Draft, parseDrafts } from '../auth/drafts.ts';
import type { Db, User } from '../db/schema.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { type KeptValues, unpackFields, unpackValues } from '../history/fields.ts';
import { ACTORS, KINDS, nameOfCode, WAYS } from '../history/kinds.ts';
import type { ChangeSet } from '../history/queries.ts';
import { type FoundVersions, findVersionSets } from '../history/versions.ts';
import { findUser } from '../users/queries.ts';

const AT_ONCE = 500;

export async function* readUser(db: Db, id: number) {
  const user = await findUser(db, id);
  if (user) yield { ...valuesOf(user), updated_at: iso(user.updated_at), version: user.version };
}

export async function* readDeleted(db: Db, id: number) {
  const deleted = await findDeleted(db, id);
  if (deleted) yield valuesOf({ id, ...unpackValues(deleted.fields) });
}

export async function* readCredentials(db: Db, id: number) {
  const credentials = await findCredentials(db, id);
  if (credentials === undefined) return;
  const { changed_at, code_secret, last_sign_in_at } = credentials;
  const lastSignIn = last_sign_in_at ? iso(last_sign_in_at) : null;
  yield {
    password_set_at: iso(changed_at),
    has_second_factor: code_secret !== null,
    last_sign_in_at: lastSignIn,
  };
}

/** How many there are: each is a secret. */
export async function* readRecoveryCodes(db: Db, id: number) {
  const left = await countRecoveryCodes(db, id);
  if (left > 0) yield { left };
}

export async function* readTickets(db: Db, id: number) {
  const tickets = db.selectFrom('tickets').select('created_at').where('user_id', '=', id);
  for (const { created_at } of await tickets.execute()) yield { created_at: iso(created_at) };
}

/** A form that waits is given to them alone: it may be about somebody else, and was never sent. */
export async function* readSessions(db: Db, id: number, isOwn: boolean) {
  const sessions = db.selectFrom('sessions').selectAll().where('user_id', '=', id).orderBy('id');
  for (const session of await sessions.execute())
    yield {
      created_at: iso(session.created_at),
      seen_at: iso(session.seen_at),
      address: session.address,
      browser: session.browser,
      ...(isOwn && { waiting: parseDrafts(session).map(toldDraft) }),
    };
}

function toldDraft({ at, ...draft }: Draft) {
  return at === undefined ? draft : { at: iso(at), ...draft };
}

export async function* readInvitations(db: Db, id: number) {
  const links = db.selectFrom('invitations').select('created_at').where('user_id', '=', id);
  for (const { created_at } of await links.execute()) yield { created_at: iso(created_at) };
}

export async function* readChanges(db: Db, id: number) {
  const wanted = { limit: AT_ONCE, isWanted: () => true };
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before; ) {
    const { found, stoppedAt }: FoundVersions = await findVersionSets(db, id, { from: 1, before }, wanted);
    for (const { version, fields, set } of found)
      yield { version, ...told(set), fields: unpackFields(fields) };
    before = found.length < AT_ONCE ? stoppedAt?.version : found.at(-1)?.version;
  }
}

export async function* readImports(db: Db, id: number) {
  const imports = db.selectFrom('imports').select(['created_at', 'file_name', 'size']);
  for (const { created_at, ...file } of await imports.where('actor_id', '=', id).orderBy('id').execute())
    yield { created_at: iso(created_at), ...file };
}

export async function* readActs(db: Db, id: number) {
  yield* readSets(db, 'actor_id', id);
  // What they did to their own access is among what they did.
  for await (const set of readSets(db, 'subject_id', id)) if (set.by !== id) yield set;
}

async function* readSets(db: Db, column: 'actor_id' | 'subject_id', id: number) {
  for (let last: Pick<ChangeSet, 'kind' | 'at' | 'id'> | undefined = { kind: 0, at: 0, id: 0 }; last; ) {
    const { kind, at, id: lastId } = last;
    const some: ChangeSet[] = await db
      .selectFrom('change_sets')
      .selectAll()
      .where(column, '=', id)
      .where(({ eb, refTuple, tuple }) => eb(refTuple('kind', 'at', 'id'), '>', tuple(kind, at, lastId)))
      .orderBy('kind')
      .orderBy('at')
      .orderBy('id')
      .limit(AT_ONCE)
      .execute();
    for (const set of some) yield { ...told(set), users: set.users, event: set.event, detail: set.detail };
    last = some[AT_ONCE - 1];
  }
}

function told({ id, at, kind, via, actor_kind, actor_id }: ChangeSet) {
  const by = actor_id ?? nameOfCode(ACTORS, actor_kind);
  return { set: id, at: iso(at), what: nameOfCode(KINDS, kind), via: nameOfCode(WAYS, via), by };
}

function valuesOf({
  id,
  username,
  email,
  full_name,
  is_active,
  role,
  created_at,
}: KeptValues & Pick<User, 'id'>) {
  return { id, username, email, full_name, is_active, role, created_at: iso(created_at) };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
