/** `/users/:id/data`: all that is kept of someone, as a file, for them and for administrators. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { mayTakeData } from '../auth/policy.ts';
import type { Db, Trx } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { NotFoundError } from '../errors.ts';
import { Spool } from '../exports/spool.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { findUser } from '../users/queries.ts';
import { type Request, userIdFrom } from '../users/request.ts';
import { TABLES } from './tables.ts';

const CHARACTERS_AT_ONCE = 64 * 1024;

/** @param folder in which it lies while it is read: whoever reads slowly holds nothing of the database */
export function downloadData(folder: string) {
  return async (request: Request, reply: FastifyReply) => {
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
      .send(await readAtOnce(folder, db, (trx) => jsonOf(trx, id, isOwn)));
  };
}

async function readAtOnce(
  folder: string,
  db: Db,
  read: (trx: Trx) => AsyncIterable<string>,
): Promise<Readable> {
  const spool = await Spool.make(folder);
  const write = async (trx: Trx) => {
    let text = '';
    for await (const part of read(trx)) {
      text += part;
      if (text.length < CHARACTERS_AT_ONCE) continue;
      await spool.write(text);
      text = '';
    }
    await spool.write(text);
  };
  const written = readSnapshot(db, write).then(
    () => spool.end(),
    (error) => spool.end({ error }),
  );
  const stream = Readable.from(spool.read(), { objectMode: false });
  stream.once('close', () => void written.then(() => spool.close()));
  return stream;
}

async function* jsonOf(db: Db, id: number, isOwn: boolean): AsyncIterable<string> {
  yield '{';
  let begin = '\n';
  for (const [name, table] of Object.entries(TABLES)) {
    if ('why' in table) continue;
    yield `${begin}"${name}": [`;
    let between = '\n  ';
    for await (const row of table.read(db, id, isOwn)) {
      yield between + JSON.stringify(row);
      between = ',\n  ';
    }
    yield ']';
    begin = ',\n';
  }
  yield '\n}\n';
}
