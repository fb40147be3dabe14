/** The form of a user: making one and changing one. */
import type { FastifyReply } from 'fastify';
import type { User } from '../db/schema.ts';
import { BadSubmissionError, NotUniqueError } from '../errors.ts';
import { type Fields, parseForm, readFields } from '../forms.ts';
import { newUserSchema, USER_FIELDS, type UserChanges, userChangesSchema } from './form.ts';
import { parseFrom } from './list.ts';
import { findHolders, getUser, insertUser, updateUser } from './queries.ts';
import { idOf, type Request, userAddress } from './request.ts';

export async function showNewForm(request: Request, reply: FastifyReply) {
  const from = parseFrom(request.query);
  const values = { is_active: '1' };
  return reply.render('users/form', {
    user: undefined,
    from,
    values,
    errors: {},
    holders: {},
    isConflict: false,
  });
}

export async function create(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const fields = readFields(request.body, USER_FIELDS);
  const form = parseForm(newUserSchema, fields);
  if (!form.ok) return refuse(request, reply, undefined, fields, form.errors);
  try {
    const user = await db.transaction().execute((trx) => insertUser(trx, form.value, Date.now()));
    return reply.seeOther(userAddress(user.id, request), `User ${user.username} created!`);
  } catch (error) {
    return refuse(request, reply, undefined, fields, ifTaken(error));
  }
}

export async function showEditForm(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  const from = parseFrom(request.query);
  return reply.render('users/form', {
    user,
    from,
    values: valuesOf(user),
    errors: {},
    holders: {},
    isConflict: false,
  });
}

export async function update(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const before = await getUser(db, idOf(request));
  const { version, ...fields } = readFields(request.body, [...USER_FIELDS, 'version']);
  const filledFrom = versionOf(version);
  const form = parseForm(userChangesSchema, fields);
  const values = { ...valuesOf(before), ...fields, version: version ?? String(before.version) };
  if (!form.ok) return refuse(request, reply, before, values, form.errors);
  try {
    const { isWritten, user } = await db
      .transaction()
      .execute((trx) => updateUser(trx, before.id, form.value, filledFrom, Date.now()));
    if (!isWritten) return showConflict(request, reply, user, form.value);
    return reply.seeOther(userAddress(user.id, request), `User ${user.username} updated!`);
  } catch (error) {
    return refuse(request, reply, before, values, ifTaken(error));
  }
}

async function showConflict(request: Request, reply: FastifyReply, user: User, typed: UserChanges) {
  const from = parseFrom(request.query);
  const values = { ...valuesOf({ ...user, ...typed } as User), version: String(user.version) };
  return reply.render('users/form', { user, from, values, errors: {}, holders: {}, isConflict: true }, 409);
}

/** Answers 422: the form with what was typed, what is wrong with it, and who has what was asked for. */
async function refuse(
  request: Request,
  reply: FastifyReply,
  user: User | undefined,
  values: Fields,
  problems: Readonly<Record<string, string>>,
) {
  const holders = await findHolders(request.server.db, values, user?.id);
  const taken = Object.entries(holders).map(([name, { username }]) => [
    name,
    `That ${name} already belongs to ${username}.`,
  ]);
  const errors = { ...Object.fromEntries(taken), ...problems };
  // Whoever had it has let go of it since.
  if (Object.keys(errors).length === 0) errors.username = 'That was taken until a moment ago: send it again.';
  const from = parseFrom(request.query);
  return reply.render('users/form', { user, from, values, errors, holders, isConflict: false }, 422);
}

/** Passes a refusal of the unique constraints on to the form, which finds out what is taken; throws anything else. */
function ifTaken(error: unknown): Record<string, string> {
  if (error instanceof NotUniqueError) return {};
  throw error;
}

function versionOf(version: string | undefined): number | undefined {
  if (version === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(version)) throw new BadSubmissionError('The version is no whole number.');
  return Number(version);
}

/** What the form's fields show for a user. */
function valuesOf(user: User): Fields {
  const { username, email, full_name, is_active, version } = user;
  return {
    username,
    email,
    full_name: full_name ?? '',
    is_active: is_active ? '1' : '0',
    version: String(version),
  };
}
