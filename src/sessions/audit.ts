/** What is noted of sign-ins and of changes of access, whatever else is logged: who, from where and when. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    audit(request: FastifyRequest, event: string, user?: { id: number; username: string }): void;
  }
}

export function addAudit(app: FastifyInstance, level: string): void {
  const log = app.log.child({}, { level: level === 'silent' ? level : 'info' });
  app.decorate('audit', (request: FastifyRequest, event: string, user?: { id: number; username: string }) => {
    const by = request.session && { id: request.session.user_id, username: request.session.username };
    log.info(
      { event, user: user && { id: user.id, username: user.username }, by, address: request.address },
      event,
    );
  });
}
