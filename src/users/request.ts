/** What the handlers of users read from a request's address. */
import type { FastifyRequest } from 'fastify';
import { NotFoundError } from '../errors.ts';
import { refuseUnseenImport } from '../imports/commands.ts';
import type { Fields } from '../lib/forms.ts';
import { quotable } from '../lib/text.ts';
import { fromParameter, parseFrom } from './list/address.ts';
import type { ListState } from './list/state.ts';

export type Request = FastifyRequest<{ Params: { id: string }; Querystring: Fields }>;

/** @throws NotFoundError for what is no id: a whole number from 1 that JavaScript can count to, in plain digits. */
export function userIdFrom(request: Request): number {
  const { id } = request.params;
  if (!/^[1-9]\d{0,15}$/.test(id) || !Number.isSafeInteger(Number(id))) {
    throw new NotFoundError(`There is no user ${quotable(id)}.`);
  }
  return Number(id);
}

export function listBefore({ query, server }: Request): ListState {
  return parseFrom(query, server.clock());
}

/** Where it is counted: without who is not in a file, for whoever may not see them, since addresses are passed on. */
export async function seenListBefore(request: Request): Promise<ListState> {
  const list = listBefore(request);
  try {
    await refuseUnseenImport(request.reader, request.actor, list);
    return list;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { ...list, absentFrom: undefined };
  }
}

export function userAddress(id: number, request: Request): string {
  return `/users/${id}${fromParameter(listBefore(request))}`;
}
