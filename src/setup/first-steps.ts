/** What the list says to whoever begins: how to become the administrator, and what is left to do once they are. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cookieOf } from '../auth/cookie.ts';
import { mayManage } from '../auth/policy.ts';
import type { Count } from '../db/user-counts.ts';
import { isAnyoneElseInvited } from '../invitations/queries.ts';
import { countUnchanged } from '../made-up-people/queries.ts';
import { findLastRun } from '../maintenance/queries.ts';
import { hasOnlyAdministrators } from '../users/counts.ts';
import { isOwner } from './owner.ts';
import { setupLine } from './setup-line.ts';

const HIDDEN_FOR_SECONDS = 400 * 24 * 60 * 60;

export type Step = 'administrator' | 'invite' | 'origin' | 'backup';

export type FirstSteps = {
  left: readonly Step[];
  /** Nobody but administrators is there, so that made-up people may be added. */
  isAlone: boolean;
  /** How many made-up people can be taken out again. */
  madeUp: number;
  /** Before there is an administrator: whether whoever runs Roster asks, and what its log says to everyone else. */
  isOwner: boolean;
  line: string;
};

/** For administrators, and for whoever is there before there is one; nothing is asked for anyone else. */
export async function firstStepsFor(
  request: FastifyRequest,
  counts: readonly Count[],
): Promise<FirstSteps | undefined> {
  const { isOpen, actor, server, headers } = request;
  if (!isOpen && !(actor && mayManage(actor))) return undefined;
  const isAlone = hasOnlyAdministrators(counts);
  return {
    left: isOpen ? ['administrator'] : isHidden(request) ? [] : await stepsLeft(server, actor?.user?.id),
    isAlone,
    madeUp: await countMadeUp(server, isAlone),
    isOwner: await isOwner(request),
    line: setupLine(server.config.origin, headers.host, '…'),
  };
}

/** In this browser. */
export async function hideFirstSteps({ server }: FastifyRequest, reply: FastifyReply) {
  const { name, options } = cookieOf(server, 'first_steps', HIDDEN_FOR_SECONDS);
  reply.setCookie(name, '1', options);
  return reply.seeOther('/users');
}

function isHidden({ server, cookies }: FastifyRequest): boolean {
  return cookies[cookieOf(server, 'first_steps', 0).name] !== undefined;
}

async function stepsLeft(server: FastifyInstance, ownId = 0): Promise<Step[]> {
  const { origin } = server.config;
  const left: [Step, boolean][] = [
    ['invite', !(await hasInvited(server, ownId))],
    ['origin', origin === undefined],
    ['backup', !(await hasBackup(server))],
  ];
  return left.filter(([, isLeft]) => isLeft).map(([step]) => step);
}

const inviting = new WeakSet<FastifyInstance>();

/** Whoever has once let others in need not be told how: it is not asked again. */
async function hasInvited(server: FastifyInstance, ownId: number): Promise<boolean> {
  if (!inviting.has(server) && (await isAnyoneElseInvited(server.db, ownId))) inviting.add(server);
  return inviting.has(server);
}

const backedUp = new WeakSet<FastifyInstance>();

/** Or is going to have one, by itself. */
async function hasBackup(server: FastifyInstance): Promise<boolean> {
  const isThere = server.config.backupFolder !== undefined || backedUp.has(server);
  if (!isThere && (await findLastRun(server.db, 'backup', 'good'))) backedUp.add(server);
  return isThere || backedUp.has(server);
}

const without = new WeakSet<FastifyInstance>();

/** Once there are none they come back only to a list without anyone else, so that nothing is asked until then. */
async function countMadeUp(server: FastifyInstance, isAlone: boolean): Promise<number> {
  if (isAlone) without.delete(server);
  if (isAlone || without.has(server)) return 0;
  const count = await countUnchanged(server.db);
  if (count === 0) without.add(server);
  return count;
}
