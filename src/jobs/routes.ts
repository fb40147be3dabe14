/** Going on with what was stopped, from where it stands: whoever asks for it is who acts from then on. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { done } from '../auth/idempotency-store.ts';
import { mayEdit } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotFoundError } from '../errors.ts';
import { getSeenSet } from '../history/descriptions.ts';
import { lockChangeSet } from '../history/queries.ts';
import { fromIn } from '../http/return-list.ts';
import type { Fields } from '../lib/forms.ts';
import { findJobOfSet, goOnWithJob, mayGoOn } from './queries.ts';

type Request = FastifyRequest<{ Params: { id: string }; Querystring: Fields }>;

export function jobRoutes(app: FastifyInstance): void {
  app.post('/history/:id/go-on', allow(mayEdit, { form: '/history/:id' }), goOn);
}

async function goOn(request: Request, reply: FastifyReply) {
  const { server, params } = request;
  const { set } = await getSeenSet(server.db, params.id, request.actor);
  const answer = await runCommand(request, async (trx, { user }) => {
    // Whoever begins to undo either waits, or is seen here.
    for (const id of [set.id, set.undoes]) if (id !== null) await lockChangeSet(trx, id);
    const job = await findJobOfSet(trx, set.id);
    if (job === undefined || !(await mayGoOn(trx, set, job)))
      throw new NotFoundError('There is nothing to go on with.');
    await goOnWithJob(trx, job.id, user?.id ?? null);
    return done(`/history/${set.id}${fromIn(request.query)}`, 'It goes on: this page says how far it is.');
  });
  void server.runJobs();
  return reply.answer(answer);
}
