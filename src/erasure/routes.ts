/** The addresses of erasing a user, asked first and done once the username is typed, and of what is kept of one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { findKeptAnswer } from '../auth/idempotency.ts';
import { done } from '../auth/idempotency-store.ts';
import { mayErase, mayRead } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../lib/forms.ts';
import { textKey } from '../lib/text.ts';
import { findSeenDeleted, showDeleted } from '../users/deleted.ts';
import { type Request, userIdFrom } from '../users/request.ts';
import { eraseUser } from './commands.ts';
import { downloadData } from './data-download.ts';
import { checkLedger } from './ledger.ts';
import { findErasure } from './queries.ts';

const NOT_NOTABLE =
  'Nobody was erased: Roster cannot write the file that says who was, and that keeps them from coming back with a copy of the database. Its log says why.';

export function erasureRoutes(app: FastifyInstance, spoolFolder: string): void {
  app.get('/users/:id/erase', allow(mayErase), async (request: Request, reply) => ask(request, reply));
  app.post('/users/:id/erase', allow(mayErase, { form: '/users/:id/erase' }), erase);
  app.get('/users/:id/data', allow(mayRead), downloadData(spoolFolder));
}

async function ask(request: Request, reply: FastifyReply, typed = '', error?: string) {
  if (await isErased(request)) return showDeleted(request, reply);
  const deleted = await getDeleted(request);
  return reply.render('erasure/ask', { deleted, typed, error }, error ? 422 : 200);
}

async function erase(request: Request, reply: FastifyReply) {
  const { server } = request;
  const kept = await findKeptAnswer(request);
  if (kept) return reply.answer(kept);
  if (await isErased(request)) return showDeleted(request, reply);
  const { username: typed = '' } = readFields(request.body, ['username']);
  const { id, username } = await getDeleted(request);
  if (textKey(typed) !== textKey(username))
    return ask(request, reply, typed, typed ? 'That is another username.' : 'Type the username.');
  if (!isNotable(request)) return ask(request, reply, typed, NOT_NOTABLE);
  const answer = await runCommand(request, async (trx, actor) => {
    const { set } = await eraseUser(trx, actor, id, server.clock());
    return done(`/history/${set}`, `User ${id} is erased.`);
  });
  await server.noteErased();
  void server.scrub();
  // The files of imports that were discarded with it are removed there.
  void server.runJobs();
  return reply.answer(answer);
}

/** Before anything is done: a copy that is put back would bring them back. */
function isNotable({ server, log }: FastifyRequest): boolean {
  try {
    checkLedger(server.ledger);
    return true;
  } catch (err) {
    log.error({ err }, 'nobody can be erased');
    return false;
  }
}

async function isErased(request: Request): Promise<boolean> {
  return (await findErasure(request.reader, userIdFrom(request))) !== undefined;
}

async function getDeleted(request: Request) {
  const id = userIdFrom(request);
  const deleted = await findSeenDeleted(request, id);
  if (deleted === undefined)
    throw new NotFoundError(
      `There is no deleted user ${id}: whoever is to be erased has to be deleted first.`,
    );
  return deleted;
}
