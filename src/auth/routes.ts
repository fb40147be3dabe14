/** The addresses of signing in and out, and of what was sent in a session that had ended. */
import type { FastifyInstance } from 'fastify';
import { allow } from './access.ts';
import { discardDraft } from './discard-draft.ts';
import { anyone, mayRead } from './policy.ts';
import { askToSignOut, showSignIn, signIn, signOut } from './sign-in.ts';

/** Bytes; a form of 64 KiB that was sent too late comes along sealed, a third longer. */
const WITH_DRAFT = 128 * 1024;

export function sessionRoutes(app: FastifyInstance): void {
  app.get('/sign-in', allow(anyone), showSignIn);
  app.post('/sign-in', { ...allow(anyone), bodyLimit: WITH_DRAFT }, signIn);
  app.get('/sign-out', allow(anyone), askToSignOut);
  app.post('/sign-out', allow(anyone), signOut);
  app.post('/drafts/delete', allow(mayRead, { form: '/users' }), discardDraft);
}
