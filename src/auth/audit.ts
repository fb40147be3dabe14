/** What is noted of sign-ins and of changes of access, whatever else is logged: who, from where and when. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Limit } from '../http/log-limit.ts';

declare module 'fastify' {
  interface FastifyInstance {
    audit(request: FastifyRequest, event: string, user?: { id: number; username: string }): void;
    /** The same for what anyone can make happen without an end: one line a second, with how many it stands for. */
    auditOften(request: FastifyRequest, event: string, user?: { id: number; username: string }): void;
  }
}

export function addAudit(app: FastifyInstance, level: string, limit: Limit): void {
  const log = app.log.child({}, { level: level === 'silent' ? level : 'info' });
  const note = (request: FastifyRequest, event: string, user?: Audited, more: object = {}) => {
    const by = request.session && { id: request.session.user_id, username: request.session.username };
    log.info(
      {
        event,
        user: user && { id: user.id, username: user.username },
        by,
        address: request.address,
        ...more,
      },
      event,
    );
  };
  app.decorate('audit', (request: FastifyRequest, event: string, user?: Audited) =>
    note(request, event, user),
  );
  app.decorate('auditOften', (request: FastifyRequest, event: string, user?: Audited) =>
    limit.write(event, (more) => note(request, event, user, more)),
  );
}

type Audited = { id: number; username: string };
