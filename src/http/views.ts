/** What each view is given, and how it becomes a page. */
import fastifyView from '@fastify/view';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import type { findSessionsOf, Session } from '../auth/sessions.ts';
import type { Role, User } from '../db/schema.ts';
import type { Fields } from '../lib/forms.ts';
import type { Page } from '../lib/pagination.ts';
import type { Term } from '../search/terms.ts';
import type { Counts } from '../users/counts.ts';
import type { ListState } from '../users/list/state.ts';
import { takeFlash } from './flash.ts';
import { createEta, helpers, TEMPLATES } from './templates.ts';

type Errors = Readonly<Record<string, string>>;

/** What the layout shows of whoever asks, for every view. */
export type Asking = {
  session: Session | undefined;
  actor: Actor | undefined;
  /** Whether there is no administrator yet. */
  isOpen: boolean;
};

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
    terms: readonly Term[];
    notices: string[];
    /** What was typed for the number of a page and is none. */
    wrongPage?: string | undefined;
  };
  'users/show': {
    user: User;
    from: ListState;
    /** How someone with a role signs in, for those who give access. */
    access:
      | {
          hasPassword: boolean;
          hasSecondFactor: boolean;
          isSecondFactorLocked: boolean;
          isLastAdministrator: boolean;
        }
      | undefined;
  };
  'users/form': {
    /** The user being changed; none when there is one to be made. */
    user: User | undefined;
    from: ListState;
    /** What the fields show. */
    values: Fields;
    /** One sentence for each field that is wrong. */
    errors: Errors;
    /** Who already has the username and the email that were typed. */
    holders: { username?: User; email?: User };
    /** Whether the user was changed since the form was filled: the fields then show what is there now, too. */
    isConflict: boolean;
    /** Whether the fields hold what was sent after a session had ended. */
    isDraft: boolean;
  };
  'users/delete': { user: User; from: ListState };
  'auth/sign-in': {
    /** Where to go afterwards. */
    next: string;
    username?: string;
    /** A form that was sent too late, sealed. */
    draft?: string | undefined;
    /** Stands for the right password; then a code is asked for. */
    ticket?: string;
    /** Whether a recovery code was entered in its place. */
    isRecovery?: boolean;
    problem?: string;
    /** What may be the reason of it. */
    note?: string;
    /** Whether a session has ended, and whether something was sent without one. */
    isExpired?: boolean;
    isRefused?: boolean;
  };
  'auth/sign-out': { session: Session };
  'account/show': {
    session: Session;
    sessions: Awaited<ReturnType<typeof findSessionsOf>>;
    recoveryCodes: number;
    /** When the password was chosen. */
    changedAt: number;
    errors: Errors;
  };
  'account/code': {
    qr: { size: number; path: string };
    secret: string;
    sealed: string;
    errors: Errors;
    is_code_required: boolean;
  };
  'account/recovery-codes': { codes: readonly string[]; next: string };
  'invitations/link': { user: User; link: string; hours: number };
  'invitations/form': { user: { username: string }; action: string; errors: Errors };
  'setup/form': { action: string; values: Fields; errors: Errors };
  'roles/list': { roles: readonly Role[]; required: readonly Role[]; before: string; isDraft: boolean };
  error: {
    title: string;
    sentence: string;
    /** The way on, if it is not simply to the list, or to the door. */
    link?: { href: string; text: string } | undefined;
    /** The request, as the log calls it. */
    requestId?: string | undefined;
    notices?: string[];
  };
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
    const { session, actor, isOpen } = this.request;
    const asking: Asking = { session, actor, isOpen };
    const html = await this.viewAsync(view, { ...asking, ...data, flash: takeFlash(this) });
    // A page with a secret has said that it must not be kept at all.
    if (!this.hasHeader('cache-control')) this.header('cache-control', 'private, no-cache');
    this.type('text/html; charset=utf-8');
    return this.code(status).send(html);
  });
}
