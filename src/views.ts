/** What each view is given, and how it becomes a page. */
import fastifyView from '@fastify/view';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { User } from './db/schema.ts';
import { takeFlash } from './flash.ts';
import type { Fields } from './forms.ts';
import type { Page } from './pagination.ts';
import type { Piece } from './search/search.ts';
import { createEta, helpers, TEMPLATES } from './templates.ts';
import type { ListState } from './users/list.ts';
import type { Counts } from './users/queries.ts';

/** From the name of a view to its data. */
export type Views = {
  'users/list': {
    list: ListState;
    /** None when it would take too long to find. */
    page: Page<User> | undefined;
    /** How many have the role that is asked for, or how many there are. */
    counts: Counts;
    /** Whether there is nobody at all. */
    isEmpty: boolean;
    /** What was searched for. */
    pieces: readonly Piece[];
    notices: string[];
  };
  'users/show': { user: User; from: ListState };
  'users/form': {
    /** The user being changed; none when there is one to be made. */
    user: User | undefined;
    from: ListState;
    /** What the fields show. */
    values: Fields;
    /** One sentence for each field that is wrong. */
    errors: Readonly<Record<string, string>>;
    /** Who already has the username and the email that were typed. */
    holders: { username?: User; email?: User };
    /** Whether the user was changed since the form was filled: the fields then show what is there now, too. */
    isConflict: boolean;
  };
  'users/delete': { user: User; from: ListState };
  error: { title: string; sentence: string; link?: { href: string; text: string }; notices?: string[] };
};

declare module 'fastify' {
  interface FastifyReply {
    render<V extends keyof Views>(view: V, data: Views[V], status?: number): Promise<FastifyReply>;
  }
}

export async function addViews(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, {
    engine: { eta: createEta() },
    root: TEMPLATES,
    production: true,
    defaultContext: helpers,
  });
  app.decorateReply('render', async function (this: FastifyReply, view: string, data: object, status = 200) {
    // The status comes last: a view that fails is then still a 500.
    const html = await this.viewAsync(view, { ...data, flash: takeFlash(this) });
    this.header('cache-control', 'private, no-cache').type('text/html; charset=utf-8');
    return this.code(status).send(html);
  });
}
