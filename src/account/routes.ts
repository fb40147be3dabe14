/** The addresses of one's own account. */
import type { FastifyInstance } from 'fastify';
import { allow } from '../sessions/access.ts';
import { mayRead } from '../sessions/policy.ts';
import { removeOwnCode, renewRecoveryCodes, setOwnCode, showNewCode } from './code.ts';
import { changePassword } from './password.ts';
import { endOtherSessions } from './sessions.ts';
import { showAccount } from './show.ts';

export function accountRoutes(app: FastifyInstance): void {
  app.get('/account', allow(mayRead), async (request, reply) => showAccount(request, reply));
  app.post('/account/password', allow(mayRead), changePassword);
  app.get('/account/code', allow(mayRead, { isBeforeCode: true }), showNewCode);
  app.post('/account/code', allow(mayRead, { isBeforeCode: true }), setOwnCode);
  app.post('/account/code/delete', allow(mayRead), removeOwnCode);
  app.post('/account/recovery-codes', allow(mayRead), renewRecoveryCodes);
  app.post('/account/sessions/delete', allow(mayRead), endOtherSessions);
}
