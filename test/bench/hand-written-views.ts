/** Roster's own templates, with the engine and the helpers that Roster renders them with, but without Fastify. */
import { createEta, helpers, TEMPLATES } from '../../src/templates.ts';
import type { Views } from '../../src/views.ts';

const eta = createEta();
/** As long as there is no administrator. */
const ASKING = { flash: undefined, session: undefined, actor: { role: 'editor' }, isOpen: true };

eta.configure({ views: TEMPLATES, cache: true });

export function render<V extends keyof Views>(view: V, data: Views[V]): string {
  return eta.render(`/${view}`, { ...helpers, ...ASKING, ...data });
}
