/** Disks that are full, that have turned read-only, and that are unmounted: real ones, where they may be mounted. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { SPARE } from '../../src/lib/disk-space.ts';
import { pageOf } from '../page.ts';
import { lack } from '../requirements.ts';
import { run, startRoster } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';

const MB = 1024 * 1024;
const NOT_ALLOWED = 'This user may not mount a file system here.';

function isDone(command: string, ...args: string[]): boolean {
  return process.platform === 'linux' && spawnSync(command, args).status === 0;
}

/** A folder with a file system of its own; undefined where that is not allowed. */
function mounted(...how: string[]): string | undefined {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  if (!isDone('mount', ...how, folder)) return undefined;
  // At once, whoever still has a file open there.
  onTestFinished(() => void isDone('umount', '-l', folder));
  return folder;
}

/** A file with a file system in it; undefined where none can be made. */
function image(): string | undefined {
  const path = join(temporaryFolder(), 'image');
  writeFileSync(path, '');
  truncateSync(path, 24 * 1024 * 1024);
  return isDone('mkfs.ext4', '-q', path) ? path : undefined;
}

async function send(address: string, fields: Record<string, string>) {
  const answer = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  const said = await answer.text();
  return { status: answer.status, page: answer.status === 303 ? said : pageOf(said).text };
}

const create = (address: string, username: string) =>
  send(`${address}/users`, { username, email: `${username}@example.org` });

const ready = async (address: string) => (await fetch(`${address}/readyz`)).text();

test('a full disk is told as such, and Roster writes again once there is room', async ({ skip }) => {
  const folder = mounted('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs');
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const { address } = await startRoster({
    DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`,
    LOG_LEVEL: 'silent',
  });
  expect((await create(address, 'alice')).status).toBe(303);
  const filler = join(folder, 'filler');
  expect(isDone('dd', 'if=/dev/zero', `of=${filler}`, 'bs=4k')).toBe(false);
  let [refused, sent] = [await create(address, 'bob'), 0];
  while (refused.status === 303) refused = await create(address, `bob${sent++}`);
  expect(refused).toEqual({
    status: 503,
    page: expect.stringContaining('The directory cannot be written: its disk is full. Nothing was changed'),
  });
  expect((await fetch(`${address}/users`)).status).toBe(200);
  await expect.poll(() => ready(address)).toBe('the database cannot be written: its disk is full\n');
  rmSync(filler);
  expect((await create(address, 'carla')).status).toBe(303);
  await expect.poll(() => ready(address)).toBe('ready\n');
});

/** Of rows so short that they take many times as much room once they are looked at. */
function manyShortRows(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => `${index.toString(36)},b`);
  return ['username,email', 'ok,ok@example.org', ...rows].join('\n');
}

test('where the disk of a list is full its refused rows are in no file, not in half a one, and the others are applied', async ({
  skip,
}) => {
  const folder = mounted('-t', 'tmpfs', '-o', 'size=32k', 'tmpfs');
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const path = join(folder, 'users.csv');
  writeFileSync(path, manyShortRows(800));
  const child = run(['import', path, '--yes'], { DATABASE_URL: await readyUrl('sqlite') });
  const [said, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(error).toContain(
    `The refused rows are in no file: ${join(folder, 'users.refused.csv')} cannot be written (ENOSPC).`,
  );
  expect(said).toContain('1 created, 0 changed. Undo is in the history');
  expect(child.exitCode).toBe(1);
  expect(readdirSync(folder)).toEqual(['users.csv']);
});

test('an import whose rows would fill the disk is given up, and others save what they do all the while', async ({
  skip,
}) => {
  // What is left to others, and some for a database, a file and a part of its rows.
  const folder = mounted('-t', 'tmpfs', '-o', `size=${SPARE + 24 * MB}`, 'tmpfs');
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const { address } = await startRoster({
    DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`,
    LOG_LEVEL: 'silent',
  });
  const form = new FormData();
  form.append('key', newToken());
  form.append('file', new Blob([manyShortRows(400_000)]), 'users.csv');
  const sent = await fetch(`${address}/import`, { method: 'POST', body: form, redirect: 'manual' });
  expect(sent.status).toBe(303);
  const page = async () => pageOf(await (await fetch(address + sent.headers.get('location'))).text()).text;
  let created = 0;
  for (let text = await page(); text.includes('looked at'); text = await page())
    expect((await create(address, `meanwhile${created++}`)).status).toBe(303);
  expect(await page()).toContain('There is too little room on Roster’s disk to look at all of its rows');
  expect(created).toBeGreaterThan(1);
  expect(readdirSync(join(folder, 'roster.db.imports')).filter((name) => name.includes('stage'))).toEqual([]);
  const { bavail, bsize } = statfsSync(folder);
  expect(bavail * bsize).toBeGreaterThan(SPARE);
});

test('a first start on a disk of a few KiB leaves nothing there, and the next one starts', async ({
  skip,
}) => {
  const folder = mounted('-t', 'tmpfs', '-o', 'size=32k', 'tmpfs');
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const settings = { DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`, PORT: '0' };
  const child = run([], settings);
  const [error, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(error).toMatch(/^\S+roster\.db cannot be made: ENOSPC: [^\n]+\.\n$/);
  expect([code, readdirSync(folder)]).toEqual([1, []]);
  expect(isDone('mount', '-o', 'remount,size=8m', folder)).toBe(true);
  await startRoster(settings);
});

test('when the disk of a database is unmounted nothing is acknowledged any more, and it is said why', async ({
  skip,
}) => {
  const folder = mounted('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs');
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const { address, child, stderr } = await startRoster({
    DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`,
  });
  expect((await create(address, 'alice')).status).toBe(303);
  expect(isDone('umount', '-l', folder)).toBe(true);
  // The first one may have been saved: the file is open still.
  expect((await create(address, 'bob')).status).toBe(503);
  expect(await create(address, 'carla')).toEqual({
    status: 503,
    page: expect.stringContaining('its file is gone, or another one lies in its place. Nothing was changed'),
  });
  await expect
    .poll(() => ready(address))
    .toMatch(/^the database .* is gone, or another one lies in its place\n$/);
  child.kill('SIGTERM');
  expect(await stderr).toMatch(/roster\.db is gone/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a disk that has turned read-only is told as such, whoever signs in or changes something', async ({
  skip,
}) => {
  const path = image();
  const folder = path && mounted('-o', 'loop', path);
  if (folder === undefined) return lack(skip, NOT_ALLOWED);
  const { address } = await startRoster({
    DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`,
    LOG_LEVEL: 'silent',
  });
  expect((await create(address, 'alice')).status).toBe(303);
  // As the file system does by itself after an error of the disk.
  if (!isDone('mount', '-o', 'remount,abort', folder)) return lack(skip, 'This disk cannot be made to fail.');
  const why = 'its disk is read-only';
  // The first one may have been written to the log, and not synced.
  await create(address, 'bob');
  for (const answer of [
    await create(address, 'carla'),
    await send(`${address}/sign-in`, { username: 'alice', password: 'some long password' }),
  ]) {
    expect(answer.status).toBe(503);
    expect(answer.page).toContain(`The directory cannot be written: ${why}. Nothing was changed`);
  }
  expect((await fetch(`${address}/users`)).status).toBe(200);
  await expect.poll(() => ready(address)).toBe(`the database cannot be written: ${why}\n`);
});
