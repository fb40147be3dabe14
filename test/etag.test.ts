/** Pages that a browser has already: Roster says that one still holds only where it is as it would be made now, whatever was done. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../src/auth/actor.ts';
import { setCode, setCodeFailures } from '../src/auth/credentials.ts';
import { MOST_FAILURES } from '../src/auth/second-factor.ts';
import { newToken } from '../src/auth/tokens.ts';
import { engineOf } from '../src/db/engine.ts';
import { transact } from '../src/db/transact.ts';
import { LINK_HOURS } from '../src/invitations/expiry.ts';
import { goOnWithJob, stopJob } from '../src/jobs/queries.ts';
import { MOST_WITHOUT_JOB, runJobs } from '../src/jobs/run.ts';
import { Mutex } from '../src/lib/mutex.ts';
import { beginRun, endRun } from '../src/maintenance/queries.ts';
import { undoBatch } from '../src/undo/job.ts';
import { changeUser } from '../src/users/commands.ts';
import { FORMS, startHouse } from './forms.ts';
import { begin, changeMany, NOW, SMALL_BATCHES } from './jobs/many.ts';
import { pageOf } from './page.ts';
import { addPerson, type Headers, HOUR, PASSWORD, signedIn } from './people.ts';
import { runToEnd } from './roster.ts';
import {
  addUser,
  cookiesOf,
  get,
  post,
  readyUrl,
  startApp,
  temporaryDatabase,
  temporaryFolder,
} from './support.ts';

const MINUTE = HOUR / 60;

/** Keys of forms are others each time. */
function withoutKeys(html: string): string {
  return html.replaceAll(/(name="key" value=")[^"]*/g, '$1');
}

/** Keeps pages, and asks whether they still hold, as browsers do. */
class Browser {
  readonly #kept = new Map<string, { tag: string; html: string }>();
  readonly app: FastifyInstance;
  readonly headers: Headers;

  constructor(app: FastifyInstance, headers: Headers) {
    this.app = app;
    this.headers = headers;
  }

  /** What it shows of what it has kept is what it would be sent. @returns the status it was answered */
  async visit(address: string): Promise<number> {
    const kept = this.#kept.get(address);
    const asked = { ...this.headers, ...(kept && { 'if-none-match': kept.tag }) };
    const { statusCode, body, headers } = await get(this.app, address, asked);
    if (statusCode === 304) {
      expect([body, headers.etag]).toEqual(['', kept?.tag]);
      const anew = await get(this.app, address, this.headers);
      expect(withoutKeys(`${kept?.html}`), address).toBe(withoutKeys(anew.body));
    } else {
      this.#kept.delete(address);
      if (headers.etag) this.#kept.set(address, { tag: String(headers.etag), html: body });
    }
    return statusCode;
  }

  /** Whether one of the forms that it shows there has a key. */
  hasKey(address: string): boolean {
    return this.#kept.get(address)?.html.includes('name="key"') ?? false;
  }
}

type Visits = { statuses: Set<number>; withKey: Set<number> };

/** Whom each of some people see, and the whole list; who is added to the house may sign in by a password alone. */
async function start() {
  const house = await startHouse();
  const { app, eve, bob, headers, clock } = house;
  const ed = await addPerson(app.db, 'ed', 'editor', { at: clock() });
  const vera = await addPerson(app.db, 'vera', 'viewer', { at: clock() });
  const browsers = [headers, await signedIn(app, ed), await signedIn(app, vera)].map(
    (one) => new Browser(app, one as Headers),
  );
  const lists = ['/users', '/users?q=bob&sort=name'];
  const pages = [...lists, ...[eve, bob, ed].map(({ id }) => `/users/${id}?from=per_page%3D1%26page%3D9`)];
  async function visitAll(): Promise<Visits> {
    const visits: Visits = { statuses: new Set(), withKey: new Set() };
    for (const browser of browsers) {
      for (const page of pages) {
        const hadKey = browser.hasKey(page);
        const status = await browser.visit(page);
        visits.statuses.add(status);
        if (hadKey) visits.withKey.add(status);
      }
    }
    return visits;
  }
  return { ...house, ed, browsers, visitAll, pass: clock.move };
}

const ALL_KEPT = new Set([304]);

describe('once a form was sent', () => {
  test.each(Object.entries(FORMS))(
    '%s, no page of before is shown, nor a key again',
    async (_route, prepare) => {
      const house = await start();
      const { app, visitAll } = house;
      const { url, fields, headers = house.headers } = await prepare(house);
      await visitAll();
      const before = await keysUsed(app);
      expect((await post(app, url, { ...fields, key: newToken() }, headers)).statusCode).toBe(303);
      const { withKey } = await visitAll();
      if ((await keysUsed(app)) > before) expect(withKey).not.toContain(304);
    },
  );
});

async function keysUsed({ db }: FastifyInstance): Promise<number> {
  return (await db.selectFrom('kept_answers').select('hash').execute()).length;
}

type Started = Awaited<ReturnType<typeof start>>;

/** What no form does, or what is not noted in the history. */
const OTHER_ACTS: Readonly<Record<string, (started: Started) => unknown>> = {
  'a sign-in': ({ app }) => post(app, '/sign-in', { username: 'ed', password: PASSWORD }),
  'a sign-out': ({ app, browsers }) => post(app, '/sign-out', {}, browsers[1]?.headers),
  'a session that goes on': async ({ app, pass, browsers }) => {
    pass(2 * MINUTE);
    await get(app, '/account', browsers[1]?.headers);
  },
  'a session that has ended by itself': ({ pass }) => pass(13 * HOUR),
  'a second factor that is set': ({ app, ed }) =>
    transact(app.db, (trx) => setCode(trx, ed.id, { sealed: 'x'.repeat(40), step: 0, recoveryHashes: [] })),
  'a second factor that is locked': ({ app, eve }) =>
    transact(app.db, (trx) => setCodeFailures(trx, eve.id, MOST_FAILURES, app.clock())),
  'a link that ends': async ({ app, headers, eve, browsers, pass }) => {
    await post(app, `/users/${eve.id}/invitation`, {}, headers);
    for (let time = 0; time < LINK_HOURS; time += 8) {
      pass(8 * HOUR);
      for (const browser of browsers) await browser.visit(`/users/${eve.id}`);
    }
  },
  'a backup that has failed': ({ app }) => noteRun(app, 'backup', 'bad', app.clock()),
  'a backup that becomes late': async ({ app, pass, visitAll }) => {
    await noteRun(app, 'backup', 'good', app.clock() - 48 * HOUR + MINUTE);
    await visitAll();
    pass(2 * MINUTE);
  },
  'a check that has found something': ({ app }) => noteRun(app, 'check', 'bad', app.clock()),
  'what is wrong with the proxy': ({ app }) =>
    app.proxyProblems.set('it', { sentence: 'It is wrong.', seenAt: app.stopwatch() }),
  'a minute': ({ pass }) => pass(MINUTE),
  'ninety minutes': ({ pass }) => pass(90 * MINUTE),
  'a part of a minute': async ({ app, headers, bob, pass, visitAll }) => {
    pass(MINUTE / 2);
    await post(app, `/users/${bob.id}`, { full_name: 'Bob' }, headers);
    pass(MINUTE - 10_000);
    await visitAll();
    pass(20_000);
  },
  'a job that is stopped, gone on with, and at its end does nothing': async ({ app, visitAll }) => {
    const undone = await changeMany(app.db, MOST_WITHOUT_JOB);
    const last = await engineOf(app.db).readLastId(app.db);
    await transact(app.db, (trx) => changeUser(trx, commandLine, last, { full_name: 'Before' }, NOW));
    const set = await begin(app.db, undone);
    const runner = {
      ...{
        db: app.db,
        alone: new Mutex(),
        clock: app.clock,
        stopwatch: () => 0,
        pace: SMALL_BATCHES,
        note: () => {},
        warn: () => {},
      },
      kinds: { undo: { via: 'undo' as const, work: undoBatch } },
    };
    let asked = 0;
    await runJobs(runner, () => ++asked > 2);
    const job = await app.db
      .selectFrom('jobs')
      .selectAll()
      .where('set_id', '=', set)
      .executeTakeFirstOrThrow();
    expect(job.done).toBe(MOST_WITHOUT_JOB);
    await visitAll();
    await transact(app.db, (trx) => stopJob(trx, job, {}));
    await visitAll();
    await transact(app.db, (trx) => goOnWithJob(trx, job.id, null));
    await visitAll();
    await runJobs(runner, () => false);
  },
  'another Roster': async ({ app, headers, bob }) => {
    const other = await startApp({}, app.db, app.clock);
    await post(other, `/users/${bob.id}`, { full_name: 'Bob' }, headers);
  },
};

async function noteRun(
  { db }: FastifyInstance,
  kind: 'backup' | 'check',
  outcome: 'good' | 'bad',
  at: number,
) {
  await transact(db, async (trx) => endRun(trx, await beginRun(trx, kind, at), { outcome }, at + 1));
}

test.each(Object.entries(OTHER_ACTS))('nor is one after %s', async (_name, act) => {
  const started = await start();
  await started.visitAll();
  expect((await started.visitAll()).statuses).toEqual(ALL_KEPT);
  await act(started);
  await started.visitAll();
});

test('nor after what is done by commands in other processes', { timeout: 300_000 }, async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  const app = await startApp({}, db);
  const ann = new Browser(app, await signedIn(app, await addPerson(db, 'ann', 'admin')));
  const bob = await addUser(db, { username: 'bob' });
  const file = join(temporaryFolder(), 'users.csv');
  writeFileSync(file, 'username,full_name\nbob,Robert\n');
  const settings = { DATABASE_URL: url, IMPORT_FOLDER: temporaryFolder() };
  const pages = ['/users', `/users/${bob.id}`];
  for (const page of pages) await ann.visit(page);
  for (const command of [['import', file, '--yes'], ['admin', 'bob'], ['rebuild-search']]) {
    expect(await runToEnd(command, settings, `${PASSWORD}\n`)).toMatchObject({ code: 0 });
    for (const page of pages) expect(await ann.visit(page)).toBe(200);
  }
});

test('nor once Roster was started anew, maybe with other settings', async () => {
  const { app, headers, bob } = await start();
  const anew = await startApp({}, app.db, app.clock);
  for (const address of ['/users?q=bob', `/users/${bob.id}`]) {
    const { etag } = (await get(app, address, headers)).headers;
    const again = { ...headers, 'if-none-match': etag };
    expect((await get(app, address, again)).statusCode).toBe(304);
    expect((await get(anew, address, again)).statusCode).toBe(200);
  }
});

describe('a page that still holds', () => {
  test('is said to do so without its rows, or its history', async () => {
    const { app, headers, bob } = await start();
    const columns = new Set<string>();
    const db = app.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        for (const row of result.rows) for (const column of Object.keys(row)) columns.add(column);
        return result;
      },
    });
    const listened = await startApp({}, db, app.clock);
    for (const [address, rows] of [
      ['/users', ['search_text']],
      ['/users?q=b', ['search_text']],
      [`/users/${bob.id}`, ['set_id', 'actor_kind']],
    ] as const) {
      const { etag } = (await get(listened, address, headers)).headers;
      expect([...columns]).toEqual(expect.arrayContaining([...rows]));
      columns.clear();
      const again = await get(listened, address, { ...headers, 'if-none-match': `W/"x", ${etag}` });
      expect(again.statusCode).toBe(304);
      for (const column of rows) expect([...columns]).not.toContain(column);
    }
  });

  test('is another one at another address, and in another session', async () => {
    const { app, headers, ann, eve } = await startHouse();
    const tagFor = async (address: string, more: object) => (await get(app, address, more)).headers.etag;
    const tags = [
      await tagFor('/users', headers),
      await tagFor('/users?page=1', headers),
      await tagFor('/users', await signedIn(app, ann)),
      await tagFor('/users', await signedIn(app, eve)),
    ];
    expect(new Set(tags)).toHaveProperty('size', 4);
  });

  test('is another one where what was left to do is hidden, or there is a message', async () => {
    const { app, headers } = await startHouse();
    const { etag } = (await get(app, '/users', headers)).headers;
    const withCookies = ({ cookies }: Awaited<ReturnType<typeof post>>) =>
      get(app, '/users', {
        ...headers,
        cookie: `${headers.cookie}; ${cookiesOf({ cookies })}`,
        'if-none-match': etag,
      });
    const hidden = await withCookies(await post(app, '/first-steps/delete', {}, headers));
    expect(pageOf(hidden).text).not.toContain('What is left to do');
    const told = await withCookies(await post(app, '/made-up-people', {}, headers));
    expect(pageOf(told).text).toContain('No made-up people were added');
    expect(told.headers).not.toHaveProperty('etag');
  });

  test.each(['/users?signed_in=never', '/users?page=99', '/users/99', '/users/new', '/account', '/history'])(
    'is not asked for at %s, where others may be from one moment to the next, or nothing is',
    async (address) => {
      const { app, headers } = await startHouse();
      expect((await get(app, address, headers)).headers).not.toHaveProperty('etag');
    },
  );

  test('is nobody’s who has not signed in', async () => {
    const open = await get(await startApp(), '/users');
    expect(open.statusCode).toBe(200);
    expect(open.headers).not.toHaveProperty('etag');
  });
});
