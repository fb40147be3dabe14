/** What the list says to whoever begins: how to become the administrator, and what is left to do once they are. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cookieOf } from '../auth/cookie.ts';
import { mayManage } from '../auth/policy.ts';
import type { Config } from '../config.ts';
import type { Db } from '../db/schema.ts';
import type { Count } from '../db/user-counts.ts';
import { isAnyOfKind } from '../history/queries.ts';
import { isAnyoneElseInvited } from '../invitations/queries.ts';
import { countUnchanged } from '../made-up-people/queries.ts';
import { findLastRun } from '../maintenance/queries.ts';
import { hasOnlyAdministrators } from '../users/counts.ts';
import { isOperator } from './operator.ts';
import { setupLine } from './setup-line.ts';

const HIDDEN_FOR_SECONDS = 400 * 24 * 60 * 60;

export type Step = 'administrator' | 'import' | 'invite' | 'origin' | 'backup';

export type FirstSteps = {
  left: readonly Step[];
  /** Nobody but administrators is there, so that made-up people may be added. */
  isAlone: boolean;
  madeUp: number;
  /** Before there is an administrator: whether whoever runs Roster asks, and what its log says to everyone else. */
  isOperator: boolean;
  line: string;
};

/** For administrators, and for whoever is there before there is one; nothing is asked for anyone else. */
export async function firstStepsFor(
  request: FastifyRequest,
  counts: readonly Count[],
  revision: number,
): Promise<FirstSteps | undefined> {
  const { isOpen, actor, server, headers } = request;
  if (!isOpen && !(actor && mayManage(actor))) return undefined;
  const isAlone = hasOnlyAdministrators(counts);
  return {
    left: isOpen ? ['administrator'] : isHidden(request) ? [] : await stepsLeft(request, actor?.user?.id),
    isAlone,
    madeUp: await countMadeUp(request, isAlone, revision),
    isOperator: await isOperator(request),
    line: setupLine(server.config.origin, headers.host, '…'),
  };
}

export async function hideFirstSteps({ server }: FastifyRequest, reply: FastifyReply) {
  const { name, options } = cookieOf(server, 'first_steps', HIDDEN_FOR_SECONDS);
  reply.setCookie(name, '1', options);
  return reply.seeOther('/users');
}

function isHidden({ server, cookies }: FastifyRequest): boolean {
  return cookies[cookieOf(server, 'first_steps', 0).name] !== undefined;
}

/** What is done: whoever has done it once need not be told how, and it is not asked again. */
const done = new WeakMap<FastifyInstance, Set<Step>>();

async function stepsLeft({ reader: db, server }: FastifyRequest, ownId = 0): Promise<Step[]> {
  const { config } = server;
  const steps: [Step, () => Promise<boolean>][] = [
    ['import', () => isAnyOfKind(db, 'imported')],
    ['invite', () => isAnyoneElseInvited(db, ownId)],
    ['origin', async () => config.origin !== undefined],
    ['backup', () => hasBackup(db, config)],
  ];
  const finished = done.get(server) ?? new Set();
  done.set(server, finished);
  for (const [step, isDone] of steps) if (!finished.has(step) && (await isDone())) finished.add(step);
  return steps.map(([step]) => step).filter((step) => !finished.has(step));
}

/** Or is going to have one, by itself. */
async function hasBackup(db: Db, config: Config): Promise<boolean> {
  return config.backupFolder !== undefined || (await findLastRun(db, 'backup', 'good')) !== undefined;
}

/** At which revision there were none: until something is changed it is not asked again. */
const without = new WeakMap<FastifyInstance, number>();

async function countMadeUp(
  { reader, server }: FastifyRequest,
  isAlone: boolean,
  revision: number,
): Promise<number> {
  if (isAlone || without.get(server) === revision) return 0;
  const count = await countUnchanged(reader);
  if (count === 0) without.set(server, revision);
  return count;
}
