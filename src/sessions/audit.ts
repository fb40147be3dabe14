/** What is noted of sign-ins and of changes of access, whatever else is logged: who, from where and when. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    audit(request: FastifyRequest, event: string, user?: { id: number; username: string }): void;
    /** The same for what anyone can make happen without an end: one line a second, with how many there were before. */
    auditOften(request: FastifyRequest, event: string, user?: { id: number; username: string }): void;
  }
}

const SECOND = 1_000;

export function addAudit(app: FastifyInstance, level: string): void {
  const log = app.log.child({}, { level: level === 'silent' ? level : 'info' });
  const note = (request: FastifyRequest, event: string, user?: Audited, more?: { unnoted: number }) => {
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
  let last = Number.NEGATIVE_INFINITY;
  let unnoted = 0;
  app.decorate('auditOften', (request: FastifyRequest, event: string, user?: Audited) => {
    const now = performance.now();
    if (now - last < SECOND) {
      unnoted++;
      return;
    }
    note(request, event, user, unnoted > 0 ? { unnoted } : undefined);
    last = now;
    unnoted = 0;
  });
}

type Audited = { id: number; username: string };
