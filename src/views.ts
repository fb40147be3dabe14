/** What each view is given, and how it becomes a page. */
import { join } from 'node:path';
import fastifyView from '@fastify/view';
import { Eta } from 'eta';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { asset } from './assets.ts';
import type { User } from './db/schema.ts';
import { takeFlash } from './flash.ts';
import type { Fields } from './forms.ts';
import type { Page } from './pagination.ts';
import { yesOrNo } from './users/form.ts';
import {
  fromParameter,
  isFiltered,
  type ListState,
  listAddress,
  listParameters,
  PAGE_SIZES,
} from './users/list.ts';
import type { Counts } from './users/queries.ts';

/** From the name of a view to its data. */
export type Views = {
  'users/list': { list: ListState; page: Page<User>; counts: Counts; notices: string[] };
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

const number = new Intl.NumberFormat('en');
const date = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const time = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
] as const;

/** What every view can call. Times are milliseconds since 1970. */
const helpers = {
  asset,
  fromParameter,
  isFiltered,
  listAddress,
  listParameters,
  pageSizes: PAGE_SIZES,
  yesOrNo,
  number: (value: number) => number.format(value),
  date: (value: number) => date.format(value),
  day: (value: string) => date.format(new Date(`${value}T00:00:00Z`)),
  time: (value: number) => `${time.format(value).replace(' at ', ', ')} UTC`,
  isoTime: (value: number) => new Date(value).toISOString(),
  /** "2 hours ago" for the last month, a date before that. */
  ago(value: number, now = Date.now()): string {
    const passed = Math.max(0, now - value);
    if (passed > 30 * UNITS[0][1]) return date.format(value);
    const unit = UNITS.find(([, length]) => passed >= length);
    return unit ? relative.format(-Math.floor(passed / unit[1]), unit[0]) : 'just now';
  },
  displayName: (user: User) => user.full_name ?? user.username,
  /** One or two letters that stand for a person. */
  initials(user: User): string {
    const words = (user.full_name ?? user.username)
      .split(/[\s._+-]+/u)
      .filter((word) => /^[\p{L}\p{N}]/u.test(word));
    const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
      (word) => [...(word ?? '')][0] ?? '',
    );
    return letters.join('').toUpperCase();
  },
  /** One of the five colours of avatars. */
  hue: (user: User) => user.id % 5,
};

export async function addViews(app: FastifyInstance): Promise<void> {
  const eta = new Eta({
    autoFilter: true,
    // A misspelled or forgotten value fails instead of showing as "undefined".
    filterFunction(value) {
      if (value === undefined || value === null)
        throw new Error('A view shows a value that it was not given.');
      return String(value);
    },
  });
  await app.register(fastifyView, {
    engine: { eta },
    root: join(import.meta.dirname, '..', 'views'),
    production: true,
    defaultContext: helpers,
  });
  app.decorateReply('render', async function (this: FastifyReply, view: string, data: object, status = 200) {
    // The status comes last: a view that fails is then still a 500.
    const html = await app.view(view, { ...data, flash: takeFlash(this) });
    this.header('cache-control', 'private, no-cache').type('text/html; charset=utf-8');
    return this.code(status).send(html);
  });
}
