/** The addresses of giving access: inviting someone, and links by which they choose a password. */
import type { FastifyInstance } from 'fastify';
import { allow } from '../auth/access.ts';
import { anyone, mayManage } from '../auth/policy.ts';
import { accept, showInvitation } from './accept.ts';
import { invite, inviteOne, showInviteForm } from './invite.ts';
import { make, sendByMail, showLink, withdraw } from './links.ts';

export function invitationRoutes(app: FastifyInstance): void {
  const onUser = allow(mayManage, { form: '/users/:id' });
  app.get('/invite', allow(mayManage), showInviteForm);
  app.post('/invite', allow(mayManage, { form: '/invite', isDraftKept: true }), invite);
  app.post('/users/:id/invite', onUser, inviteOne);
  app.get('/users/:id/invitation', allow(mayManage), showLink);
  app.post('/users/:id/invitation', onUser, make);
  app.post('/users/:id/invitation/mail', onUser, sendByMail);
  app.post('/users/:id/invitation/delete', onUser, withdraw);
  app.get('/invitations/:token', allow(anyone), showInvitation);
  app.post('/invitations/:token', allow(anyone), accept);
}
