/** The template engine, and what every template can call. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Eta } from 'eta';
import {
  mayChange,
  mayEdit,
  mayErase,
  mayManage,
  maySignIn,
  owesSecondFactor,
  ROLE_MAY,
  ROLE_NAMES,
} from '../auth/policy.ts';
import { newKey } from '../auth/tokens.ts';
import { bulkHelpers } from '../bulk/words.ts';
import { ROLES, type Role, type User } from '../db/schema.ts';
import { historyHelpers } from '../history/helpers.ts';
import { importHelpers } from '../imports/words.ts';
import { type Clock, DAY, HOUR, MINUTE, startOfMinute } from '../lib/clock.ts';
import { shownEmail } from '../lib/email.ts';
import { date, displayName, number, pluralize, time, usersOf } from '../lib/formats.ts';
import type { Page } from '../lib/pagination.ts';
import { capital, isWiderThan, named, partsOf, plain } from '../lib/text.ts';
import { type Origin, urlMaker } from '../lib/url-for.ts';
import { maintenanceHelpers } from '../maintenance/words.ts';
import { highlight } from '../search/highlighting.ts';
import { undoHelpers } from '../undo/helpers.ts';
import { listHelpers } from '../users/list/helpers.ts';
import { INVITED_ROLES, USERNAME_HINT, yesOrNo } from '../users/validation.ts';
import { assetPath } from './assets.ts';
import { browserName, placeOf } from './devices.ts';

export const TEMPLATES = join(import.meta.dirname, '..', '..', 'views');

/** All of them, at the start: while processes are replaced newer ones may lie there, made for other code. */
const VIEWS = new Map(
  readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.eta'))
    .map((name) => [
      `/${name.slice(0, -'.eta'.length).replaceAll(sep, '/')}`,
      readFileSync(join(TEMPLATES, name), 'utf8'),
    ]),
);

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
] as const;

export function helpersFor(origin: Origin, clock: Clock = Date.now) {
  const urlFor = urlMaker(origin);
  return {
    ...helpers,
    ago: (value: number) => ago(value, clock()),
    urlFor,
    asset: (name: string) => urlFor(assetPath(name)),
  };
}

/** "2 hours ago" for the last month, a date before that; from minute to minute, as the tags of pages are. */
function ago(value: number, now: number): string {
  const passed = startOfMinute(now) - startOfMinute(value);
  if (passed > 30 * DAY) return date.format(value);
  // What was done a moment ago may have been in the minute before.
  const unit = passed > MINUTE && UNITS.find(([, length]) => passed >= length);
  if (!unit) return 'just now';
  const [name, length] = unit;
  const count = Math.floor(passed / length);
  return name === 'day' && count === 1 ? 'yesterday' : `${pluralize(count, name)} ago`;
}

/** Times are milliseconds since 1970. */
const helpers = {
  ...bulkHelpers,
  ...historyHelpers,
  ...importHelpers,
  ...listHelpers,
  ...maintenanceHelpers,
  ...undoHelpers,
  highlight,
  mayChange,
  mayEdit,
  mayErase,
  mayManage,
  maySignIn,
  named,
  newKey,
  owesSecondFactor,
  partsOf,
  placeOf,
  plain,
  shownEmail,
  roles: ROLES,
  invitedRoles: INVITED_ROLES,
  usersOf,
  usernameHint: USERNAME_HINT,
  yesOrNo,
  number: (value: number) => number.format(value),
  allThatMatch: ({ total, isExact }: Page<unknown>) =>
    !isExact ? 'All that match' : total === 1 ? 'The only one' : `All ${number.format(total)} that match`,
  total: ({ total, isExact }: Page<unknown>) => `${isExact ? '' : 'more than '}${number.format(total)}`,
  date: (value: number) => date.format(value),
  roleName: (role: Role) => ROLE_NAMES[role].one,
  roleMay: (role: Role) => ROLE_MAY[role],
  time,
  isoTime: (value: number) => new Date(value).toISOString(),
  capital,
  /** Whether a name, or a side of an email, may be wider than its line where the columns of the list are narrowest. */
  isLongName: (name: string) => isWiderThan(16, name),
  isLongEmail,
  /** Where an email may break: after its @, and where it is long, after full stops, too; every second part is such a sign. */
  breaksOf: (part: string, isLong = isLongEmail(part)) => part.split(isLong ? /([@.])/ : /(@)/),
  browserName,
  displayName,
  /** Two letters where a script has capitals, else one letter or digit; empty where a name has neither. */
  initials(user: User): string {
    const words = (user.full_name ?? user.username).split(/[\s._+-]+/u);
    const signs = words.map((word) => /[\p{L}\p{N}]\p{M}*/u.exec(word)?.[0].toUpperCase() ?? '');
    const letters = signs.filter((sign) => /\p{L}/u.test(sign));
    const first = letters[0] ?? signs.find(Boolean) ?? '';
    const last = letters.at(-1) ?? '';
    return letters.length > 1 && isCased(first) && isCased(last) ? first + last : first;
  },
  hue: (user: User) => user.id % 5,
};

function isLongEmail(email: string): boolean {
  return email.split('@').some((side) => isWiderThan(22, side));
}

function isCased(letter: string): boolean {
  return letter !== letter.toLowerCase();
}

export function createEta(origin: Origin, clock?: Clock): Eta {
  const eta = new Eta({ cache: true, escapeFunction: escaped });
  const { render } = eta;
  const helpers = helpersFor(origin, clock);
  // Found by the prototype: what data has of its own Eta copies for each view that is included.
  eta.render = (view, data, options) =>
    render.call(eta, view, Object.assign(Object.create(helpers), data), options);
  eta.resolvePath = (view) => view;
  eta.readFile = (view) => {
    const text = VIEWS.get(view);
    if (text === undefined) throw new Error(`There is no view ${view}.`);
    return text;
  };
  return eta;
}

/** A misspelled or forgotten value fails instead of showing as "undefined". */
function escaped(value: unknown): string {
  if (value === undefined || value === null) throw new Error('A view shows a value that it was not given.');
  const text = `${value}`;
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (sign) => ESCAPED[sign] ?? sign) : text;
}
