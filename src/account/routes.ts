/** The addresses of one's own account. */
import type { FastifyInstance } from 'fastify';
import { allow } from '../auth/access.ts';
import { mayRead } from '../auth/policy.ts';
import { setOwnCode, showNewCode } from './code.ts';
import { changeOwnPassword } from './password.ts';
import { changeOwnProfile, showProfile } from './profile.ts';
import { renewOwnRecoveryCodes } from './recovery-codes.ts';
import { removeOwnCode } from './remove-code.ts';
import { signOutOther, signOutOthers } from './sessions.ts';
import { showAccount } from './show.ts';

export function accountRoutes(app: FastifyInstance): void {
  const onAccount = allow(mayRead, { form: '/account' });
  app.get('/account', allow(mayRead), async (request, reply) => showAccount(request, reply));
  app.get('/account/profile', allow(mayRead), showProfile);
  app.post(
    '/account/profile',
    allow(mayRead, { form: '/account/profile', isDraftKept: true }),
    changeOwnProfile,
  );
  app.post('/account/password', allow(mayRead, { form: '/account', renewsSession: true }), changeOwnPassword);
  app.get('/account/code', allow(mayRead, { isBeforeSecondFactor: true }), showNewCode);
  app.post(
    '/account/code',
    allow(mayRead, { form: '/account/code', isBeforeSecondFactor: true }),
    setOwnCode,
  );
  app.post('/account/code/delete', onAccount, removeOwnCode);
  app.post('/account/recovery-codes', onAccount, renewOwnRecoveryCodes);
  app.post('/account/sessions/delete', onAccount, signOutOthers);
  app.post('/account/sessions/:session/delete', onAccount, signOutOther);
}
