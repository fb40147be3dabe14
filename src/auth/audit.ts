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
  const note = (request: FastifyRequest, event: string, user?: Audited, more?: { skipped: number }) => {
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
  const events = new Map<string, ReturnType<typeof onceASecond>>();
  app.decorate('auditOften', (request: FastifyRequest, event: string, user?: Audited) => {
    const isTime = events.get(event) ?? onceASecond();
    events.set(event, isTime);
    const skipped = isTime(performance.now());
    if (skipped !== undefined) note(request, event, user, skipped > 0 ? { skipped } : undefined);
  });
}

/** Tells, of each of many moments by `performance.now()`, how many were skipped before it; undefined for one to be skipped. */
export function onceASecond(): (now: number) => number | undefined {
  let last: number | undefined;
  let skipped = 0;
  return (now) => {
    if (last !== undefined && now - last < SECOND) {
      skipped++;
      return undefined;
    }
    const before = skipped;
    last = now;
    skipped = 0;
    return before;
  };
}

type Audited = { id: number; username: string };
