/** Roster's own templates, with the engine and the helpers that Roster renders them with, but without Fastify. */

import type { Session } from '../../src/auth/sessions.ts';
import { createEta } from '../../src/http/templates.ts';
import type { Views } from '../../src/http/views.ts';

const eta = createEta(undefined);

export function render<V extends keyof Views>(view: V, session: Session, data: Views[V]): string {
  return eta.render(`/${view}`, {
    session,
    actor: session,
    isOpen: false,
    flash: undefined,
    ...data,
  });
}
