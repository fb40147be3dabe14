/** `/users/:id/data`: all that is kept of someone, as a file, for them and for administrators. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { mayTakeData } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { findDeleted } from '../history/queries.ts';
import { findUser } from '../users/queries.ts';
import { type Request, userIdFrom } from '../users/request.ts';
import { PLACES } from './places.ts';

export async function takeData(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const id = userIdFrom(request);
  authorize(request.actor, (actor) => mayTakeData(actor, id));
  const isOwn = request.actor?.user?.id === id;
  if (!((await findUser(db, id)) ?? (await findDeleted(db, id))))
    throw new NotFoundError(`There is no user ${id}.`);
  return reply
    .type('application/json; charset=utf-8')
    .header('content-disposition', `attachment; filename="user-${id}.json"`)
    .header('cache-control', 'private, no-store')
    .send(Readable.from(jsonOf(db, id, isOwn)));
}

/** An object of lists, by table; row by row, for there may be very many. */
async function* jsonOf(db: Db, id: number, isOwn: boolean): AsyncIterable<string> {
  yield '{';
  let begin = '\n';
  for (const [table, place] of Object.entries(PLACES)) {
    if ('why' in place) continue;
    yield `${begin}"${table}": [`;
    let between = '\n  ';
    for await (const row of place.read(db, id, isOwn)) {
      yield between + JSON.stringify(row);
      between = ',\n  ';
    }
    yield ']';
    begin = ',\n';
  }
  yield '\n}\n';
}
