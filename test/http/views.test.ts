import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Session } from '../../src/auth/sessions.ts';
import type { ChangeSet } from '../../src/history/queries.ts';
import { createEta, TEMPLATES } from '../../src/http/templates.ts';
import type { Views } from '../../src/http/views.ts';
import type { Import } from '../../src/imports/queries.ts';
import type { HowRead, ShownRow, Totals } from '../../src/imports/types.ts';
import type { Job } from '../../src/jobs/queries.ts';
import { parseQuery } from '../../src/lib/forms.ts';
import { Page } from '../../src/lib/pagination.ts';
import { named } from '../../src/lib/text.ts';
import type { Run } from '../../src/maintenance/queries.ts';
import { parseSearch } from '../../src/search/terms.ts';
import { parseList } from '../../src/users/list/address.ts';
import { htmlProblems, translatedText } from '../html.ts';
import { aUser } from '../users/a-user.ts';

const NAME = '<Ann> & "Bo"';
const user = aUser({
  id: 7,
  username: 'ann',
  email: 'ann@example.org',
  full_name: NAME,
  name_sort: NAME,
  search_text: NAME,
  created_at: Date.UTC(2026, 0, 31),
  updated_at: Date.UTC(2026, 1, 1),
  version: 2,
});
const session: Session = {
  id: 1,
  token_hash: '',
  user_id: 7,
  username: NAME,
  role: 'admin',
  is_active: true,
  created_at: 1,
  seen_at: 1,
  has_second_factor: true,
  is_code_required: false,
  has_draft: false,
};
const ASKING = { session, actor: session, isOpen: true, undo: 1, draftForm: '/users/new' };
const { list } = parseList({ page: '2', status: 'active' });
const values = { username: 'ann', email: '', full_name: NAME, is_active: '0' };

const sessions = [{ id: 1, created_at: 1, seen_at: 1, address: NAME, browser: NAME }];
const access: Views['users/show']['access'] = {
  lastSignIn: 1,
  managed: {
    passwordSetAt: 1,
    hasSecondFactor: true,
    isSecondFactorLocked: false,
    isLastAdministrator: false,
    sessions,
    link: { madeAt: 1, endsAt: 2 },
  },
};

const set: ChangeSet = {
  id: 1,
  at: 1,
  actor_id: 7,
  subject_id: null,
  undoes: null,
  first_id: null,
  last_id: null,
  users: 1,
  kind: 2,
  via: 1,
  actor_kind: 1,
  event: null,
  detail: null,
};
const cursor = { side: 'newer', at: 1, id: 1 } as const;
const row = {
  set,
  who: { id: 7, name: NAME },
  whom: { id: 7, name: NAME },
  undone: undefined,
  isOffered: true,
  state: 'running' as const,
  fields: { full_name: { was: NAME, became: null }, email: { was: 'a@b.example', became: 'c@d.example' } },
};
const job: Job = {
  id: 1,
  kind: 'undo',
  state: 'running',
  set_id: 1,
  actor_id: 7,
  params: '{}',
  cursor: 7,
  total: 9,
  done: 1,
  left_out: 2,
  notes: '[7]',
  lease_owner: null,
  leased_until: 0,
  failures: 1,
};
const run: Run = {
  id: 1,
  kind: 'backup',
  begun_at: 1,
  ended_at: 2,
  outcome: 'good',
  host: NAME,
  file: NAME,
  size: 1,
  users: 1,
  problem: NAME,
  is_quick: false,
};
const imported: Import = {
  id: 1,
  created_at: 1,
  touched_at: 1,
  actor_id: 7,
  is_by_command: false,
  folder: 'here',
  host: NAME,
  file: 'x',
  file_name: NAME,
  size: 1,
  state: 'reading',
  choices: '{}',
  reading: null,
  totals: null,
  problem: null,
  judged: 1,
  revision: 1,
  set_id: 1,
  lease_owner: null,
  leased_until: 0,
  failures: 0,
};
const how: HowRead = {
  encoding: 'utf-8',
  delimiter: ',',
  lineEnds: ['\r\n'],
  above: 2,
  columns: [
    { header: NAME, field: 'full_name' },
    { header: NAME, field: undefined },
  ],
  match: 'username',
  empty: 'leave',
  reversed: NAME,
};
const totals: Totals = {
  created: 1,
  changed: 1,
  same: 1,
  refused: 12_000,
  rows: 12_003,
  fields: { full_name: 1 },
  roles: { admin: 1 },
  otherwise: { email: 1 },
  administrators: { count: 2, names: [NAME] },
  differences: 2,
  read: 12_003,
};
const shownRow: ShownRow = {
  row: 1,
  line: 2,
  verdict: 'changed',
  version: 3,
  by: 'email',
  user: { id: 7, username: NAME },
  values: { username: NAME, email: 'a@b.example', full_name: NAME, role: 'viewer', is_active: false },
  fields: row.fields,
  reasons: [{ field: 'email', message: NAME }],
};
/** Imports that are over in another way, or do nothing, or are with another machine. */
const IMPORTS: [keyof Views, object][] = [
  ['imports/result', { imported: { ...imported, state: 'done' } }],
  [
    'imports/result',
    {
      imported: { ...imported, state: 'taken back', problem: NAME },
      left: { count: 2, some: [{ id: 7, name: NAME }] },
    },
  ],
  ['imports/taking-back', { imported, job: { ...job, state: 'stopped' } }],
  ['imports/result', { imported: { ...imported, state: 'discarded' }, row: undefined }],
  ['imports/result', { how: undefined, columns: [] }],
  ['imports/check', { how: { ...how, columns: [{ header: NAME, field: 'email' }] } }],
  ['imports/check', { how: { ...how, usernames: 'email' } }],
  ['imports/progress', { imported: { ...imported, state: 'applying' }, total: 2, isHere: true }],
  ['imports/progress', { waitsFor: { who: NAME, isOwn: false, read: 1_000 } }],
  ['imports/progress', { hasFailed: true }],
  ['imports/check', { rows: undefined, isHere: true }],
  ['imports/check', { rows: undefined, totals: { ...totals, created: 0, changed: 0, differences: 0 } }],
  [
    'imports/check',
    { isOutdated: true, totals: { ...totals, created: 0, changed: 0, lost: 2, doubtful: 1, empty: 3 } },
  ],
];
const difference = {
  field: 'username',
  was: NAME,
  became: NAME,
  now: NAME,
  holder: { id: 3, username: NAME },
} as const;
const firstSteps = {
  left: ['administrator', 'invite', 'import', 'origin', 'backup'] as const,
  isAlone: true,
  madeUp: 1,
  isOperator: false,
  line: NAME,
};

/** Each view with something in every place that can be empty. */
const SAMPLES: { [V in keyof Views]: Views[V] } = {
  'users/list': {
    list,
    page: new Page([user], 2, 10, 31),
    counts: { active: 31, inactive: 1 },
    everyone: 32,
    terms: parseSearch('ann "<b>"'),
    notices: [NAME],
    firstSteps: { ...firstSteps, isOperator: true, madeUp: 100 },
    ticked: [1],
  },
  'bulk/show': {
    plan: {
      act: { do: 'role' },
      total: 12,
      users: [{ ...user, role: 'viewer', is_active: false }],
      left: [{ why: 'yourself', count: 1, users: [user, user] }],
      seen: { kind: 'ticked', targets: [] },
    },
    list,
    back: '/users?tick.1=on',
    address: '/bulk',
    seen: 'x',
    drift: {
      was: 12,
      came: { count: 12, people: [row.who] },
      went: { count: 0, people: [] },
      changed: { count: 2, people: [row.who, row.whom] },
      isWhole: false,
      since: { side: 'newer', at: 1, id: 1 },
      amid: [7],
    },
    error: NAME,
    role: 'viewer',
  },
  'users/show': {
    user: { ...user, id: 8, role: 'viewer' },
    from: list,
    access,
    canSend: false,
    timeline: {
      entries: [row, { ...row, undone: { set, who: row.who, left: 2, isOver: true } }],
      earlier: { version: 1, at: 1, id: 1 },
      stoppedAt: 1,
      beginning: set,
    },
    isEarlier: true,
    lastDay: '2026-01-31',
    wrongDay: { typed: '2999-01-01', error: NAME },
  },
  'users/as-of': {
    user,
    from: list,
    at: 1,
    isNow: false,
    state: { kind: 'there', values: user, version: 1 },
    seesAccess: true,
  },
  'users/deleted': {
    deleted: { ...user, role: 'viewer' },
    row,
    from: list,
    values,
    errors: { email: NAME, role: NAME },
    holders: { email: user },
    why: 'meanwhile',
    wrongDay: NAME,
  },
  'erasure/ask': { deleted: { ...user, role: 'viewer' }, typed: NAME, error: NAME },
  'erasure/erased': {
    id: 1,
    row,
    state: { progress: { kind: 'not overwritten', why: NAME }, isLogKept: false, copies: [NAME] },
  },
  'users/conflict': {
    user,
    rows: [
      {
        field: 'full_name',
        before: null,
        now: { value: NAME, typed: NAME },
        mine: { value: 'Bo', typed: 'Bo' },
        who: NAME,
        at: 1,
      },
    ],
    single: [{ field: 'email', was: user.email, became: 'c@d.example', who: 'you, now' }],
    hidden: { email: 'c@d.example' },
    who: NAME,
    at: 1,
    heading: NAME,
    action: '/account/profile',
    page: '/account',
  },
  'history/list': {
    state: { user: NAME, by: NAME, kind: 'access', from: '2026-01-31', to: '2026-01-31' },
    rows: [row, { ...row, undone: { set, who: row.who, left: 2, isOver: true } }],
    page: { sets: [set], newer: cursor, older: { ...cursor, side: 'older' }, goOn: cursor },
    notices: [NAME],
    unknown: [NAME, NAME],
  },
  'history/change-set': {
    row: { ...row, set: { ...set, users: 9 }, undone: { set, who: row.who, left: 2, isOver: true } },
    lines: [{ whom: { id: 7, name: NAME }, fields: row.fields, fate: 'created' }],
    next: { user_id: 7, version: 1, set_id: 1, fields: null },
    isFirst: false,
    job,
    mayGoOn: true,
    isForgotten: true,
    isOfOne: false,
    leftOut: [{ id: 7, name: NAME }],
    goneOnBy: { id: 8, name: NAME },
    from: '?from=q%3Da',
    list,
  },
  'undo/show': {
    row,
    part: { users: [7, 8], cursor: 8, isFirst: false, isLast: false, hasRest: false },
    conflicts: [
      {
        id: 7,
        username: NAME,
        version: 1,
        kind: 'change',
        back: { email: NAME },
        differences: [difference],
        stays: [{ field: 'role', why: 'not allowed' }],
        hadAccess: true,
      },
      {
        id: 8,
        username: NAME,
        version: 1,
        kind: 'delete',
        hasAccess: true,
        isAgain: true,
        differences: [difference],
      },
      {
        id: 9,
        username: NAME,
        version: 1,
        kind: 'restore',
        isAgain: true,
        hadAccess: true,
        differences: [difference],
      },
    ],
    others: 2,
    withoutConflict: [
      {
        id: 10,
        username: NAME,
        version: 1,
        kind: 'change',
        back: { full_name: NAME },
        differences: [],
        stays: [],
        hadAccess: true,
      },
    ],
    left: [{ id: 11, username: NAME, version: 1, kind: 'left', why: 'last administrator' }],
    leftInAll: 2,
    isLarge: false,
    untouched: undefined,
    seen: NAME,
    holders: { '7.username.other': user },
    fields: { '7.username': 'back', '7.username.other': NAME },
    errors: { '7.username.other': NAME },
    isDraft: true,
    isChanged: true,
    from: '?from=page%3D2',
    back: '/users?page=2',
  },
  'users/form': {
    user,
    from: list,
    values,
    errors: { email: 'Enter an email address.', is_active: NAME },
    holders: { email: user },
    former: [{ ...user, mayRestore: true }],
    version: 2,
    isDraft: true,
  },
  'users/delete': {
    user,
    from: list,
    access,
    changed: [{ field: 'full_name', was: null, became: NAME, who: NAME, at: 1 }],
  },
  'auth/sign-in': {
    next: '/users',
    username: NAME,
    draft: { sealed: NAME, owner: NAME },
    isExpired: true,
  },
  'auth/sign-out': { session, other: NAME, next: '/sign-in' },
  'account/show': {
    session,
    user,
    sessions,
    recoveryCodes: 10,
    changedAt: 1,
    errors: { removing_password: NAME },
  },
  'account/profile': {
    user,
    values,
    errors: { email: NAME },
    holders: { email: user },
    version: 2,
    isDraft: true,
  },
  'account/code': {
    qr: { size: 1, path: NAME },
    secret: NAME,
    sealed: NAME,
    isAnother: true,
    next: '/account',
    errors: { code: NAME, present_code: NAME },
  },
  'account/recovery-codes': {
    codes: [NAME],
    warning: 'Hear.',
    where: 'localhost',
    madeAt: 1,
    next: '/account',
  },
  'invitations/new': {
    from: list,
    values: { email: NAME },
    errors: { email: NAME, role: NAME },
    holders: { email: user },
    former: [{ ...user, mayRestore: true }],
    isDraft: true,
    canSend: true,
  },
  'invitations/link': {
    user,
    from: list,
    key: NAME,
    link: NAME,
    endsAt: 1,
    mailto: '',
    mail: 'refused',
    canSend: true,
    isForOthers: false,
    isInvited: true,
  },
  'invitations/form': { user: { id: 8, username: NAME }, action: NAME, errors: { new_password: NAME } },
  'setup/form': { action: NAME, values: { full_name: NAME }, errors: { email: NAME } },
  'exports/export': {
    selection: { list, ticked: undefined },
    total: { count: 31, isExact: true },
    formats: [['csv', NAME, NAME]],
    format: 'csv',
    promised: 30,
  },
  'exports/waiting': { selection: { list, ticked: [1] } },
  'imports/choose': { own: [imported], rows: [row], of: '7', error: NAME },
  'imports/progress': {
    imported,
    done: 1,
    total: undefined,
    totals,
    isHere: false,
    hasFailed: false,
    waitsFor: undefined,
  },
  'imports/check': {
    imported,
    how,
    isHere: false,
    totals,
    columns: [{ header: NAME, field: 'full_name', index: 0 }],
    rows: {
      refused: [
        { row: 4, line: 5, cells: [NAME], reasons: [{ field: 'email', message: NAME, isTaken: true }] },
      ],
      created: [{ ...shownRow, verdict: 'created', user: undefined }],
      changed: [{ ...shownRow, former: [{ fields: ['full_name'], who: NAME, at: 0 }] }],
      moreFormer: 3,
      doubtful: [{ line: 2, name: NAME }],
      same: [{ ...shownRow, verdict: 'same', fields: {} }],
      differences: [`Line 2, ${NAME}: was new`],
      former: [user],
    },
    isOutdated: false,
  },
  'imports/result': {
    imported: { ...imported, state: 'unreadable', problem: NAME },
    how,
    choices: {},
    totals,
    columns: [{ header: NAME, field: undefined, index: 0 }],
    row,
    hasRefused: true,
    left: { count: 0, some: [] },
    isList: true,
  },
  'imports/refused-rows': {
    imported,
    how,
    totals,
    page: {
      rows: [{ row: 4, line: 5, cells: [NAME], reasons: [{ field: 'email', message: NAME }] }],
      before: 1,
      count: 3,
    },
  },
  'imports/taking-back': { imported: { ...imported, problem: NAME }, job },
  'maintenance/status': {
    proxyProblems: [NAME],
    status: {
      version: '1.2.3',
      node: '26.0.0',
      host: NAME,
      pid: 1,
      since: 1,
      users: 1204,
      database: {
        product: 'SQLite 3',
        name: NAME,
        schema: 17,
        size: 1,
        logSize: 1,
        connections: [{ address: NAME, count: 2 }],
        processes: [1, 2],
        free: 1,
      },
      backup: {
        last: { ...run, ended_at: null },
        good: run,
        bad: run,
        folder: NAME,
        next: 9,
        kept: { count: 2, oldest: 1 },
        free: 1,
      },
      check: {
        last: { ...run, id: 2, kind: 'check', is_quick: true },
        finding: { ...run, kind: 'check', outcome: 'bad' },
      },
      mail: { server: NAME, sent: 1, notSent: 1 },
      signedIn: [{ role: 'admin', users: 2, sessions: 3, seen_at: 1 }],
      people: [{ id: 1, username: 'ann', full_name: NAME }],
      jobs: [job],
      imports: [imported],
    },
    now: 9,
  },
  'roles/list': { roles: ['viewer'], required: [], before: '', isDraft: false },
  error: { title: NAME, sentence: NAME, link: { href: '/users', text: NAME }, notices: [NAME] },
};

/** The empty directory, and the list without a page, without a match, and with letters above it. */
const LISTS: Partial<Views['users/list']>[] = [
  { everyone: 0, page: new Page([], 1, 10, 0), firstSteps },
  { everyone: 0, page: new Page([], 1, 10, 0), firstSteps: { ...firstSteps, isOperator: true } },
  { everyone: 0, page: new Page([], 1, 10, 0), firstSteps: undefined },
  { firstSteps },
  { page: new Page([], 1, 10, 0) },
  { list: parseList({ q: NAME }).list, page: new Page([], 1, 10, 0) },
  { list: parseList({ sort: 'username', per_page: '1' }).list, page: new Page([user], 2, 1, 31) },
  ...['q=ann&sort=email', 'role=member&sort=email&page=9', 'created_after=2026-01-31&sort=email'].map(
    (query) => ({
      list: parseList(parseQuery(query)).list,
      page: undefined,
    }),
  ),
];

test('every template is part of some page, and shows what it is given as text', () => {
  const eta = createEta(undefined);
  for (const [view, data] of Object.entries(SAMPLES)) {
    const html = eta.render(`/${view}`, { ...ASKING, flash: NAME, ...data });
    expect(html, view).toContain('&lt;Ann&gt; &amp; &quot;Bo&quot;');
    expect(html, view).not.toMatch(/<Ann>|undefined|\[object/);
  }
  for (const data of LISTS) {
    const html = eta.render('/users/list', {
      ...ASKING,
      flash: undefined,
      ...SAMPLES['users/list'],
      ...data,
    });
    expect(html).not.toMatch(/<Ann>|undefined|\[object/);
    expect(htmlProblems(html)).toEqual([]);
  }
  for (const [view, data] of IMPORTS) {
    const html = eta.render(`/${view}`, {
      ...ASKING,
      flash: undefined,
      ...SAMPLES[view],
      ...data,
    });
    expect(html).not.toMatch(/<Ann>|undefined|\[object/);
    expect(htmlProblems(html)).toEqual([]);
  }
  for (const file of readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.eta'))
      expect(eta.templatesSync.get(`/${file.slice(0, -'.eta'.length)}`), file).toBeDefined();
  }
});

test('every page is described in words of its own, whoever it is about', () => {
  const eta = createEta(undefined);
  const descriptions = Object.entries(SAMPLES).map(([view, data]) => {
    const html = eta.render(`/${view}`, { ...ASKING, flash: NAME, ...data });
    return /<meta name="description" content="([^"]*)">/.exec(html)?.[1];
  });
  for (const description of descriptions) expect(description).toMatch(/^[A-Z][^&<]{10,70}\.$/);
  expect(new Set(descriptions).size).toBe(descriptions.length);
});

test('the HTML of every view is right, whatever it shows', () => {
  const eta = createEta(undefined);
  for (const [view, data] of Object.entries(SAMPLES)) {
    for (const more of [
      {},
      { errors: {}, why: 'again', who: 'you', changed: [], problem: 'Wrong.' },
      { isRefused: true, terms: [] },
    ]) {
      const html = eta.render(`/${view}`, { ...ASKING, flash: undefined, ...data, ...more });
      expect(htmlProblems(html), view).toEqual([]);
    }
  }
});

test.each([
  ['<input name="">', 'name is empty'],
  ['<input name="a" name="b">', 'an element has name twice'],
  ['<p id="a"></p><p id="a"></p>', 'two elements have the id a'],
  ['<label for="a">A</label>', 'there is no element with the id a'],
  ['<a href="#a">A</a>', 'there is no element with the id a'],
  ['<input aria-describedby="a">', 'there is no element with the id a'],
  ['<b><i></b></i>', '</b> ends <i>'],
  ['<div>', '<div> does not end'],
  ['<p><ul></ul></p>', '<ul> is in a paragraph, which it ends'],
  ['<form><div><form></form></div></form>', '<form> is in another'],
  ['<input value=a>', 'a tag cannot be read'],
])('a fault in HTML is one: %s', (html, problem) => {
  expect(htmlProblems(html)).toContain(problem);
});

/** Data that a translator would change, each of which says what it is. */
const WORDS = {
  username: 'may-username',
  full_name: 'May Fullname',
  email: 'may-email@example.org',
  link: 'https://users.example.org/may-link',
};

const TAKEN = `That already belongs to ${named(WORDS.username)}.`;

const TOLD: Readonly<Record<string, string>> = {
  [NAME]: WORDS.full_name,
  [user.username]: WORDS.username,
  [user.email]: WORDS.email,
  'a@b.example': WORDS.email,
  'c@d.example': WORDS.email,
};

/** A sample with data that can be told from everything else. */
function told<T>(data: T): T {
  if (typeof data === 'string') return (TOLD[data] ?? data) as T;
  if (Array.isArray(data)) return data.map(told) as T;
  if (data === null || typeof data !== 'object') return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, told(value)])) as T;
}

const wrong = {
  row: 4,
  line: 5,
  cells: [WORDS.username],
  reasons: [{ field: 'email', message: TAKEN }],
} as const;

/** The same as `SAMPLES` with data that can be told from everything else. */
const DATA: Partial<{ [V in keyof Views]: Partial<Views[V]> }> = {
  'users/list': {
    list: parseList({ q: 'may' }).list,
    page: new Page([{ ...user, ...WORDS }], 2, 10, 31),
    terms: parseSearch('may'),
  },
  'users/show': { user: { ...user, ...WORDS } },
  'users/form': {
    user: { ...user, ...WORDS },
    holders: { email: { ...user, ...WORDS } },
    errors: { email: TAKEN },
  },
  'users/deleted': { deleted: { ...user, ...WORDS }, values: undefined },
  'users/conflict': {
    user: { ...user, ...WORDS },
    rows: [
      {
        field: 'full_name',
        before: WORDS.full_name,
        now: { value: WORDS.full_name, typed: WORDS.full_name },
        mine: { value: WORDS.full_name, typed: WORDS.full_name },
        who: named(WORDS.username),
        at: 1,
      },
    ],
    single: [{ field: 'email', was: WORDS.email, became: WORDS.email, who: named(WORDS.username) }],
    who: named(WORDS.username),
    heading: named(WORDS.username),
  },
  'users/delete': { user: { ...user, ...WORDS } },
  'auth/sign-in': { draft: { sealed: 'x', owner: WORDS.username }, problem: TAKEN },
  'auth/sign-out': { session: { ...session, username: WORDS.username }, other: WORDS.username },
  'setup/form': { errors: { email: TAKEN } },
  error: { sentence: TAKEN, notices: [TAKEN] },
  'account/code': { secret: 'MAYSECRET' },
  'account/recovery-codes': { codes: ['may-code'] },
  'invitations/new': { errors: { email: TAKEN }, holders: { email: { ...user, ...WORDS } } },
  'invitations/link': { user: { ...user, ...WORDS }, link: WORDS.link },
  'invitations/form': { user: { id: 8, username: WORDS.username } },
  'history/list': { ...told(SAMPLES['history/list']), notices: [TAKEN] },
  'history/change-set': told(SAMPLES['history/change-set']),
  'undo/show': { ...told(SAMPLES['undo/show']), errors: { '7.username.other': TAKEN } },
  'erasure/ask': { ...told(SAMPLES['erasure/ask']), error: TAKEN },
  'erasure/erased': {
    row: told(row),
    state: { progress: { kind: 'gone' }, isLogKept: false, copies: [WORDS.full_name] },
  },
  'bulk/show': { ...told(SAMPLES['bulk/show']), error: 'Choose one.' },
  'imports/choose': { own: [told(imported)], rows: [told(row)], of: undefined, error: TAKEN },
  'imports/progress': told(SAMPLES['imports/progress']),
  'imports/check': {
    ...told(SAMPLES['imports/check']),
    rows: {
      refused: [wrong],
      created: [{ ...told(shownRow), verdict: 'created', user: undefined }],
      changed: [{ ...told(shownRow), former: [] }],
      same: [],
      differences: [],
      former: [{ ...user, ...WORDS }],
      moreFormer: 0,
      doubtful: [{ line: 2, name: WORDS.full_name }],
    },
  },
  'imports/result': {
    ...told(SAMPLES['imports/result']),
    imported: { ...told(imported), state: 'unreadable', problem: TAKEN },
  },
  'imports/refused-rows': {
    ...told(SAMPLES['imports/refused-rows']),
    page: { rows: [wrong], before: 1, count: 3 },
  },
  'imports/taking-back': { imported: { ...told(imported), problem: TAKEN }, job },
};

test.each(Object.entries(DATA))('of %s no name, email, code or link may be translated', (view, data) => {
  for (const more of [{}, { terms: [] }]) {
    const html = createEta(undefined).render(`/${view}`, {
      ...ASKING,
      session: { ...session, username: WORDS.username },
      flash: `User ${named(WORDS.username)} Deleted!`,
      ...SAMPLES[view as keyof Views],
      ...data,
      ...more,
    });
    expect(html).toMatch(/may-|MAYS/);
    const translated = translatedText(html);
    expect(translated).toContain('Deleted!');
    // A small "may" with a space after it is one of the view's own words.
    expect(translated).not.toMatch(/[Mm]ay[-”]|May |MAYS|\bMF\b/);
  }
});

test('every attribute of a field is one of its own', () => {
  const field = {
    name: 'x',
    label: 'X',
    hint: 'Short.',
    type: 'email',
    autocomplete: 'one-time-code',
    value: '',
    error: 'No.',
  };
  const html = createEta(undefined).render('/partials/field', field);
  const [, attributes = ''] = /<input ([^>]*)>/.exec(html) ?? [];
  for (const name of [
    'inputmode="email"',
    'required',
    'aria-invalid="true"',
    'aria-describedby="x-hint x-error"',
  ])
    expect(` ${attributes} `).toContain(` ${name} `);
});

test('a value that a view was not given is a failure, not a word on the page', () => {
  const data = {
    ...ASKING,
    flash: undefined,
    ...SAMPLES['users/show'],
    user: { ...user, email: undefined },
  };
  expect(() => createEta(undefined).render('/users/show', data)).toThrow();
});
