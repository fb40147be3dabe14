/** Whether it is whoever runs Roster who asks: they could read the link in its log, and change its database as well. */
import type { FastifyRequest } from 'fastify';
import { isOwnUser } from '../http/peer-user.ts';

export async function isOperator({ isOpen, server, socket }: FastifyRequest): Promise<boolean> {
  // What a proxy passes on comes from its own user, who may be the same.
  const hasProxy = server.config.origin !== undefined || server.config.trustProxy.length > 0;
  return isOpen && !hasProxy && (await isOwnUser(socket));
}
