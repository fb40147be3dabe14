/** What is noted of sign-ins and of changes of access, whatever else is logged: who, from where and when. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Limit } from '../http/log-limit.ts';

declare module 'fastify' {
  interface FastifyInstance {
    audit(request: FastifyRequest, event: string, user?: Audited, more?: object): void;
    /** The same for what anyone can make happen without an end: one line a second, with how many it stands for. */
    auditOften(request: FastifyRequest, event: FailedAttempt, user?: Audited): void;
    auditJob(job: number, by: Audited | undefined, event: string, user?: Audited): void;
  }
}

export type FailedAttempt =
  | `sign-in failed: ${'too late' | WhyCodeRefused}`
  | `sign-in refused: ${'too many attempts' | 'too many at once'}`
  | 'password refused: too many attempts'
  | `code refused: ${'too many attempts' | WhyCodeRefused}`;

type WhyCodeRefused = 'wrong code' | 'second factor removed meanwhile' | 'second factor locked' | 'key lost';

export function addAudit(
  app: FastifyInstance,
  level: string,
  limit: Limit,
  hear: (event: string) => void,
): void {
  const log = app.log.child({}, { level: level === 'silent' ? level : 'info' });
  const write = (by: Audited | undefined, event: string, user: Audited | undefined, more: object) =>
    log.info({ event, user: user?.id, actor: by?.id, ...more }, event);
  const note = (request: FastifyRequest, event: string, user?: Audited, more?: object) => {
    const by = request.session && { id: request.session.user_id };
    write(by, event, user, { address: request.address, reqId: request.id, ...more });
  };
  app.decorate('audit', (request: FastifyRequest, event: string, user?: Audited, more?: object) => {
    hear(event);
    note(request, event, user, more);
  });
  app.decorate('auditOften', (request: FastifyRequest, event: string, user?: Audited) => {
    hear(event);
    limit.write(event, (more) => note(request, event, user, more), request.id);
  });
  app.decorate('auditJob', (job: number, by: Audited | undefined, event: string, user?: Audited) =>
    write(by, event, user, { job }),
  );
}

/** Nothing but the number is noted: the name belongs to the database, where it can be erased. */
type Audited = { id: number };
