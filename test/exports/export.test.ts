/** The users of a list, or those who were ticked, as a file. */
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { NoRoomError, TooBroadError } from '../../src/errors.ts';
import { startDownload } from '../../src/exports/download.ts';
import { writeExport } from '../../src/exports/export.ts';
import { Spool } from '../../src/exports/spool.ts';
import { fileNameOf } from '../../src/exports/words.ts';
import { abortSignalOf } from '../../src/http/client-gone.ts';
import { SPARE } from '../../src/lib/disk-space.ts';
import { number } from '../../src/lib/formats.ts';
import type { Total } from '../../src/lib/pagination.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { parseSelection } from '../../src/users/list/selection.ts';
import { WALK_BATCH } from '../../src/users/list/walk.ts';
import { afterBatches, holdBatches } from '../engines.ts';
import { withoutFiles, withRoom } from '../full-disk.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, signedIn } from '../people.ts';
import { addressOf, addUser, get, listen, startApp, temporaryDatabase, temporaryFolder } from '../support.ts';

/** The last batch is not a whole one. */
const SOME = 2 * WALK_BATCH + 100;

async function start(fill: (db: Db) => Promise<unknown> = async () => {}) {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await fill(app.db);
  return { app, db: app.db, ann };
}

async function lastInHistory(app: FastifyInstance, who: Headers): Promise<string> {
  return pageOf(await get(app, '/history?kind=exported', who)).text;
}

/** All users, and how many of them were written. */
async function downloadAll(db: Db, folder: string, gone = new AbortController().signal) {
  const kept: number[] = [];
  const keep = async (users: number) => void kept.push(users);
  const selection = parseSelection({ all: 'on' }, 0);
  const asked = { folder, selection, format: 'jsonl', judge: () => {}, keep } as const;
  return { ...(await startDownload(db, asked, gone)), kept };
}

/** Of the files that were made in a folder and are still open, whether or not a name leads to them. */
function modesOfOpen(folder: string): number[] {
  const open = readdirSync('/proc/self/fd').map((name) => join('/proc/self/fd', name));
  return open.flatMap((path) => {
    try {
      return readlinkSync(path).startsWith(folder) ? [statSync(path).mode & 0o777] : [];
    } catch {
      // Closed meanwhile, by another thread.
      return [];
    }
  });
}

/** What is answered to bytes on a connection, until that is closed, in whatever way. */
async function askByHand(app: FastifyInstance, who: Headers, version: '1.0' | '1.1', path: string) {
  const { port } = new URL(await listen(app));
  const socket = connect(Number(port), '127.0.0.1');
  const headers = Object.entries({ host: `127.0.0.1:${port}`, connection: 'close', ...who });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/${version}\r\n${lines.join('')}\r\n`);
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
  await once(socket, 'close');
  const answer = Buffer.concat(pieces);
  const end = answer.indexOf('\r\n\r\n');
  return { head: answer.subarray(0, end).toString(), body: answer.subarray(end + 4) };
}

/** Fails after so many batches. */
function failAfter(db: Db, batches: number): void {
  let written = 0;
  afterBatches(db, async () => {
    if (++written === batches) throw new Error('the disk is broken');
  });
}

test('a list leaves as it is shown: filtered, in its order, for Excel, with nothing that a spreadsheet runs', async () => {
  const { app, ann } = await start(async (db) => {
    await addUser(db, { username: 'bob', email: 'bob@example.com', full_name: '=HYPERLINK("x")' });
    await addUser(db, { username: 'cem', email: 'cem@example.com', full_name: '\'t Hooft, "Cem"' });
    await addUser(db, { username: 'dora', email: 'dora@example.com', full_name: null, is_active: false });
  });
  const response = await get(
    app,
    '/export/file?format=csv&all=on&from=role%3Dmember%26sort%3D-username',
    ann,
  );
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(response.headers['content-disposition']).toMatch(
    /^attachment; filename="users-member-\d{4}-\d\d-\d\d\.csv"$/,
  );
  expect(response.body).toBe(
    [
      '\uFEFFusername,email,full_name,status,role',
      'dora,dora@example.com,,inactive,member',
      `cem,cem@example.com,"''t Hooft, ""Cem""",active,member`,
      `bob,bob@example.com,"'=HYPERLINK(""x"")",active,member`,
      '',
    ].join('\r\n'),
  );
  expect(await lastInHistory(app, ann)).toContain('ann Exported 3 users as CSV: Member');
});

test('who was ticked leaves alone, for programs with numbers and times', async () => {
  const { app, db, ann } = await start();
  const bob = await addUser(db, { username: 'bob', email: 'bob@example.com', full_name: 'Bob' });
  const cem = await addUser(db, { username: 'cem' });
  await addUser(db, { username: 'dora' });
  const { body } = await get(app, `/export/file?format=jsonl&tick.${cem.id}=on&tick.${bob.id}=on`, ann);
  const users = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(users.map(({ username }) => username)).toEqual(['bob', 'cem']);
  expect(users[0]).toEqual({
    id: bob.id,
    username: 'bob',
    email: 'bob@example.com',
    full_name: 'Bob',
    is_active: true,
    role: 'member',
    created_at: new Date(bob.created_at).toISOString(),
    updated_at: new Date(bob.updated_at).toISOString(),
  });
  expect(await lastInHistory(app, ann)).toContain('ann Exported 2 users as JSON Lines: ticked');
});

test('what was searched for, which may be somebody’s name, is not kept in the history', async () => {
  const { app, ann } = await start((db) => addUser(db, { username: 'bob', full_name: 'Robert Secret' }));
  const { body } = await get(app, '/export/file?format=vcard&all=on&from=q%3Dsecret', ann);
  expect(body.split('\r\n')).toContain('FN:Robert Secret');
  expect(await lastInHistory(app, ann)).toContain('ann Exported 1 user as vCard: a search');
});

test('all are as they were at one moment, though somebody goes meanwhile', async () => {
  const { app, db, ann } = await start((some) => seedUsers(some, SOME));
  const { begun, letGo } = holdBatches(db);
  const download = get(app, '/export/file?format=jsonl&all=on', ann);
  await expect.poll(() => begun).toHaveBeenCalled();
  const last = await db.selectFrom('users').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow();
  await transact(db, (trx) => deleteUser(trx, commandLine, last.id, Date.now()));
  letGo();
  const { body } = await download;
  expect(body.trimEnd().split('\n')).toHaveLength(SOME + 1);
  expect(body).toContain(`{"id":${last.id},`);
});

test('it is written, and the database let go of, though nobody reads it; no name leads to the file', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, SOME);
  const folder = temporaryFolder();
  const { stream, written, closed, kept } = await downloadAll(db, folder);
  expect(readdirSync(folder)).toEqual([]);
  await written;
  expect(kept).toEqual([SOME]);
  const read = Buffer.concat(await stream.toArray());
  expect(read.toString().trimEnd().split('\n')).toHaveLength(SOME);
  await closed;
});

test.runIf(existsSync('/proc/self'))(
  'nobody else on the machine may read the file, and nothing is left of it once it is closed',
  async () => {
    const folder = temporaryFolder();
    const spool = await Spool.make(folder);
    expect(modesOfOpen(folder)).toEqual([0o600]);
    await spool.close();
    expect(modesOfOpen(folder)).toEqual([]);
  },
);

test('whoever goes away ends the work', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, SOME);
  const { letGo } = holdBatches(db);
  const gone = new AbortController();
  const { stream, written, closed, kept } = await downloadAll(db, temporaryFolder(), gone.signal);
  stream.on('error', () => {});
  stream.resume();
  gone.abort();
  letGo();
  await written;
  expect(kept).toEqual([WALK_BATCH]);
  await closed;
});

test('whoever closes the connection ends the work, and what they had by then is in the history', async () => {
  const { app, db, ann } = await start((some) => seedUsers(some, SOME));
  const { port } = new URL(await listen(app));
  const { begun, letGo } = holdBatches(db);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `GET /export/file?format=csv&all=on HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncookie: ${ann.cookie}\r\n\r\n`,
  );
  await expect.poll(() => begun).toHaveBeenCalledOnce();
  socket.destroy();
  await expect.poll(() => promisify(app.server.getConnections).call(app.server)).toBe(0);
  letGo();
  const exported = `ann Exported ${number.format(WALK_BATCH)} users as CSV`;
  await expect.poll(() => lastInHistory(app, ann)).toContain(exported);
  expect(begun).toHaveBeenCalledOnce();
});

test('whoever goes away ends the work also where few of many match, and are still looked for', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, SOME);
  const gone = new AbortController();
  const spool = await Spool.make(temporaryFolder());
  onTestFinished(() => spool.close());
  const selection = parseSelection({ from: 'q=an&sort=name', all: 'on' }, 0);
  const exporting = writeExport(db, { selection, format: 'csv' }, spool, () => {}, gone.signal);
  gone.abort();
  await expect(exporting).rejects.toThrow(TooBroadError);
});

test('what goes wrong on the way breaks the file off, and never ends it', async () => {
  const { db } = await start((some) => seedUsers(some, SOME));
  afterBatches(db, () => Promise.reject(new Error('the disk is full')));
  const { stream, closed, kept } = await downloadAll(db, temporaryFolder());
  await expect(stream.toArray()).rejects.toThrow('the disk is full');
  expect(kept).toEqual([WALK_BATCH]);
  await closed;
});

test('of three at once the third waits on a page that asks again by itself, and then gets its file', async () => {
  const { app, db, ann } = await start((some) => seedUsers(some, SOME));
  const vera = await signedIn(app, await addPerson(db, 'vera', 'viewer'));
  const { begun, letGo } = holdBatches(db);
  const address = '/export/file?format=csv&all=on&from=sort%3Dusername';
  const two = [get(app, address, ann), get(app, address, ann)];
  await expect.poll(() => begun).toHaveBeenCalledTimes(2);
  const waiting = await get(app, address, vera);
  // A program that takes only what is well does not take the page for the file.
  expect([waiting.statusCode, waiting.headers['retry-after']]).toEqual([503, '3']);
  expect(pageOf(waiting).text).toContain('Your export waits for its turn');
  expect(pageOf(waiting).main.links.map(({ text }) => text)).toContain('All users');
  const [, again = ''] = /^3; url=(.*)$/.exec(`${waiting.headers.refresh}`) ?? [];
  expect(pageOf(await get(app, again, vera)).text).toContain('Your export waits for its turn');
  letGo();
  const lengths = (await Promise.all(two)).map(({ body }) => body.split('\r\n').length);
  expect(lengths).toEqual([SOME + 4, SOME + 4]);
  const third = await get(app, again, vera);
  expect(third.body.split('\r\n')).toHaveLength(SOME + 4);
});

test('whoever asks by HTTP/1.0, which has no chunks, hears how long it is', async () => {
  const { app, ann } = await start((some) => seedUsers(some, SOME));
  const { head, body } = await askByHand(app, ann, '1.0', '/export/file?format=csv&all=on');
  expect(head).toMatch(/^HTTP\/1\.[01] 200 /);
  expect(Number(/content-length: (\d+)/.exec(head)?.[1])).toBe(body.length);
  expect(body.toString().split('\r\n').length).toBeGreaterThan(SOME);
});

test('what breaks off by HTTP/1.0 is no file, but a page that says so', async () => {
  const { app, db, ann } = await start((some) => seedUsers(some, SOME));
  failAfter(db, 2);
  const { head, body } = await askByHand(app, ann, '1.0', '/export/file?format=csv&all=on');
  expect(head).toMatch(/^HTTP\/1\.[01] 500 /);
  expect(head).not.toContain('attachment');
  expect(pageOf(body.toString()).heading).toBe('Something went wrong');
});

test('what breaks off by HTTP/1.1 has no last chunk, by which a browser sees that it is not all', async () => {
  const { app, db, ann } = await start((some) => seedUsers(some, SOME));
  failAfter(db, 2);
  const { head, body } = await askByHand(app, ann, '1.1', '/export/file?format=csv&all=on');
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(head.toLowerCase()).toContain('transfer-encoding: chunked');
  expect(body.toString().split('\r\n').length).toBeGreaterThan(WALK_BATCH);
  expect(body.toString()).not.toMatch(/\r\n0\r\n/);
  const address = `${addressOf(app)}/export/file?format=csv&all=on`;
  failAfter(db, 2);
  const read = fetch(address, { headers: ann }).then((answer) => answer.text());
  await expect(read).rejects.toThrow(/terminated/);
});

test('whoever is gone before they are listened to is known to be gone', async () => {
  const seen: boolean[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer(async (_request, response) => {
    seen.push(abortSignalOf(response).aborted);
    await once(response, 'close');
    seen.push(abortSignalOf(response).aborted);
    resolve();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
  await expect.poll(() => seen).toEqual([false]);
  socket.destroy();
  await promise;
  expect(seen).toEqual([false, true]);
});

test('where the disk has too little room nothing is begun, and a page says so', async () => {
  const { app, ann } = await start();
  const asked = () => get(app, '/export/file?format=csv&all=on', ann);
  const refused = await withRoom(SPARE - 1, asked);
  expect(refused.statusCode).toBe(507);
  expect(pageOf(refused).text).toContain('There is too little room on Roster’s disk for this file.');
  expect(await lastInHistory(app, ann)).not.toContain('ann Exported');
  expect((await withRoom(SPARE + 1_000_000, asked)).statusCode).toBe(200);
});

test('where the disk takes no file a page says why, and that the mistake is nobody’s', async () => {
  const { app, ann } = await start();
  const refused = await withoutFiles('EROFS', () => get(app, '/export/file?format=csv&all=on', ann));
  expect(refused.statusCode).toBe(503);
  expect(pageOf(refused).text).toContain(
    'A file that Roster needs for this cannot be used: its disk is read-only.',
  );
});

test('what certainly does not fit is not begun either', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, SOME);
  const room = SPARE + SOME * 32;
  const asked = () => downloadAll(db, temporaryFolder());
  await expect(withRoom(room, asked)).rejects.toThrow(NoRoomError);
});

test('a file stops growing where it would leave others too little room, and is broken off', async () => {
  const spool = await Spool.make(temporaryFolder());
  onTestFinished(() => spool.close());
  const some = 'x'.repeat(1024 * 1024);
  const writing = withRoom(SPARE - 1, async () => {
    for (let count = 0; count < 100; count++) await spool.write(some);
  });
  await expect(writing).rejects.toThrow(NoRoomError);
  expect(spool.size).toBeLessThanOrEqual(16 * some.length);
});

test('where there are others than were promised, it is asked again with how many there are now', async () => {
  const { app, db, ann } = await start((some) => addUser(some, { username: 'bob' }));
  const page = pageOf(await get(app, '/export?all=on&from=role%3Dmember', ann)).form('Export');
  expect(page.field('count')).toBe('1');
  const address = (count: string) => `/export/file?format=vcard&all=on&from=role%3Dmember&count=${count}`;
  expect((await get(app, address('1'), ann)).body.match(/BEGIN:VCARD/g)).toHaveLength(1);
  await addUser(db, { username: 'cem' });
  const again = await get(app, address('1'), ann);
  expect([again.statusCode, pageOf(again).heading]).toEqual([409, 'Export 2 users']);
  expect(pageOf(again).text).toContain('Nothing is exported yet: there was 1 user when you asked.');
  expect(pageOf(again).form('Export').field('format')).toMatch(/^vCard/);
  expect(pageOf(again).form('Export').field('count')).toBe('2');
  expect((await get(app, address('2'), ann)).body.match(/BEGIN:VCARD/g)).toHaveLength(2);
});

test.each(['all=on', 'all=on&from=q%3Db', 'tick.1=on&tick.2=on&tick.9=on'])(
  'how many there are is judged before anything is written, and as many are: %s',
  async (whom) => {
    const db = await temporaryDatabase();
    for (const username of ['bob', 'bea', 'cem']) await addUser(db, { username, email: `${username}@x.org` });
    const selection = parseSelection(Object.fromEntries(new URLSearchParams(whom)), 0);
    const told: unknown[] = [];
    const spool = { write: async (text: string) => void told.push(text.match(/BEGIN:VCARD/g)?.length) };
    const judge = (total: Total) => void told.push(total);
    const { signal } = new AbortController();
    await writeExport(db, { selection, format: 'vcard', judge }, spool, () => {}, signal);
    const count = whom === 'all=on' ? 3 : 2;
    expect(told).toEqual([{ count, isExact: true }, count]);
    const refuse = () => {
      throw new Error('There are others.');
    };
    const refused = writeExport(db, { selection, format: 'csv', judge: refuse }, spool, () => {}, signal);
    await expect(refused).rejects.toThrow('There are others.');
    expect(told).toHaveLength(2);
  },
);

test.each([
  ['signed_in=never', 'users-never-signed-in'],
  ['signed_in=over-90-days-ago&status=active', 'users-active-dormant'],
  ['created_after=2026-01-31&created_before=2026-02-01', 'users-created'],
  ['absent_from=7', 'users-absent'],
  ['q=b&role=member', 'users-found-member'],
  ['sort=-name', 'users'],
])('the name of a file says all that was asked for: %s', (from, name) => {
  const selection = parseSelection({ from, all: 'on' }, 0);
  expect(fileNameOf(selection, 'csv', Date.UTC(2026, 2, 4))).toBe(`${name}-2026-03-04.csv`);
});

test('a spreadsheet that wants semicolons between cells gets them, and the history says so', async () => {
  const { app, ann } = await start((db) => addUser(db, { username: 'bob', full_name: 'Bee; Bob' }));
  const page = pageOf(await get(app, '/export?all=on', ann));
  expect(page.text).toContain('CSV with semicolons');
  const file = await get(app, '/export/file?format=semicolons&all=on&from=role%3Dmember', ann);
  expect(file.headers['content-disposition']).toMatch(/\.csv"$/);
  expect(file.body.split('\r\n').slice(0, 2)).toEqual([
    '\uFEFFusername;email;full_name;status;role',
    'bob;bob@example.org;"Bee; Bob";active;member',
  ]);
  expect(await lastInHistory(app, ann)).toContain('Exported 1 user as CSV with semicolons: Member');
});

test('the page says how many there are, and which; of nobody there is nothing to export', async () => {
  const { app, ann } = await start((db) => addUser(db, { username: 'bob', is_active: false }));
  const some = pageOf(await get(app, '/export?all=on&from=status%3Dinactive', ann));
  expect(some.text).toContain('Export 1 user');
  expect(some.text).toContain('Inactive');
  expect(pageOf(await get(app, '/export?all=on&from=q%3Dnobody', ann)).text).toContain('Nobody matches');
  expect(pageOf(await get(app, '/export', ann)).text).toContain('Nobody is ticked');
});

test('whoever is led here from another site, or says no format, is asked first', async () => {
  const { app, ann } = await start();
  const elsewhere = { ...ann, 'sec-fetch-site': 'cross-site' };
  const { statusCode, headers } = await get(app, '/export/file?format=csv&all=on', elsewhere);
  expect([statusCode, headers.location]).toEqual([302, '/export?all=on']);
  expect((await get(app, '/export/file?format=xlsx&all=on', ann)).headers.location).toBe('/export?all=on');
  expect((await get(app, '/export/file?format=csv', ann)).headers.location).toBe('/export?');
  expect(await lastInHistory(app, ann)).not.toContain('ann Exported');
});
