/** Trying Roster with made-up people: a button that adds them, and one that takes them out again. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { mayEdit } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotUniqueError } from '../errors.ts';
import { number } from '../lib/formats.ts';
import { type Added, addMadeUpPeople, removeMadeUpPeople } from './commands.ts';

export function madeUpPeopleRoutes(app: FastifyInstance): void {
  const onTheList = allow(mayEdit, { form: '/users' });
  app.post('/made-up-people', onTheList, add);
  app.post('/made-up-people/delete', onTheList, remove);
}

async function add(request: FastifyRequest, reply: FastifyReply) {
  const addNow = () =>
    runCommand(request, async (trx, actor) => {
      const added = await addMadeUpPeople(trx, actor, request.server.clock());
      const sentence = sentenceFor(added);
      return added.kind === 'added' ? done('/users', sentence, added.set) : nothingDone('/users', sentence);
    });
  // Of two who add them the second finds them there.
  const answer = await addNow().catch((error) => {
    if (!(error instanceof NotUniqueError)) throw error;
    return addNow();
  });
  return reply.answer(answer);
}

async function remove(request: FastifyRequest, reply: FastifyReply) {
  const answer = await runCommand(request, async (trx, actor) => {
    const { removed, changed, set } = await removeMadeUpPeople(trx, actor, request.server.clock());
    return done('/users', sentenceOfRemoved(removed, changed), set);
  });
  return reply.answer(answer);
}

function sentenceOfRemoved(removed: number, changed: number): string {
  const gone = removed === 0 ? 'There was nobody to take out' : `${people(removed)} taken out`;
  const stay =
    changed === 1 ? '1 that was changed stays' : `${number.format(changed)} that were changed stay`;
  return changed === 0 ? `${gone}.` : `${gone}; ${stay}.`;
}

function sentenceFor({ kind, count }: Added): string {
  if (kind === 'there are others') return 'No made-up people were added: there are other users already.';
  return kind === 'added' ? `${people(count)} added.` : `There are ${people(count)} already.`;
}

function people(count: number): string {
  return count === 1 ? '1 made-up person' : `${number.format(count)} made-up people`;
}
