/** A restore and a migration are killed at any moment: one of two databases is there, whole, and the next start works. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, inject, test, vi } from 'vitest';
import { filePathOf } from '../../src/database-url.ts';
import { engineOf } from '../../src/db/engine.ts';
import { MIGRATIONS } from '../../src/db/migration-list.ts';
import { ledgerOf } from '../../src/erasure/ledger.ts';
import { eraseAgain } from '../../src/erasure/ledger-replay.ts';
import { backUp, erase, faultsIn, fill, usernamesIn, within } from '../backup/backed-up.ts';
import { openAsItIs, restoreVersion } from '../db/versions/restore.ts';
import { run, runToEnd, startRoster } from '../roster.ts';
import { addUsers, readyUrl, temporaryFolder, temporaryUrl } from '../support.ts';
import { chosen, killAt, momentsIn, timeout } from './kill-at.ts';

function copyFolder(from: string): string {
  const to = join(temporaryFolder(), 'data');
  mkdirSync(to);
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
  return to;
}

test.each(['itself', 'another database'])(
  'a restore of %s that is killed leaves what was there or what was to be',
  { timeout },
  async (whose) => {
    const url = await readyUrl('sqlite');
    await fill(url);
    const other = whose === 'itself' ? url : await readyUrl('sqlite');
    if (other !== url) await fill(other);
    await within(other, (db) => erase(db, 4));
    const file = await backUp(other, '--with-key');
    const then = await within(other, usernamesIn);
    await within(url, (db) => addUsers(db, ['late', 'later']));
    const now = await within(url, usernamesIn);
    const before = dirname(filePathOf(url) ?? '');
    const restoring = async (moment: number) => {
      const target = `sqlite:${join(copyFolder(before), 'roster.db')}`;
      return {
        target,
        ...(await runToEnd(['restore', file, '--yes'], { DATABASE_URL: target, ...killAt(moment) })),
      };
    };
    const whole = await restoring(0);
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining('Restored: 4 users.') });
    const ends = new Set<string>();
    // How a file takes the other's place is the same in both.
    const moments = chosen(momentsIn(whole.error), inject('isLong') ? 28 : other === url ? 12 : 8);
    expect(moments.length).toBeGreaterThan(10);
    for (const moment of moments) {
      const { target, code } = await restoring(moment);
      expect(code, `killed at ${moment}`).toBe(null);
      const found = await within(target, usernamesIn);
      expect([now, then], `killed at ${moment}`).toContainEqual(found);
      expect(await faultsIn(target), `killed at ${moment}`).toEqual([]);
      // As each start does, by what it says beside it.
      await within(target, (db) => eraseAgain(db, ledgerOf(target, '')));
      ends.add(found.length === then.length ? 'new' : 'old');
    }
    expect([...ends].sort()).toEqual(['new', 'old']);
    const { target } = await restoring(moments.at(-1) as number);
    const left = await restoring(moments[moments.length >> 1] as number);
    const next = await startRoster({ DATABASE_URL: left.target });
    next.child.kill('SIGTERM');
    expect(await next.stderr).toMatch(
      /^What a restore or a backup that was stopped before its end had left .* removed: roster\.db\.\S+/m,
    );
    const again = await runToEnd(['restore', file, '--yes'], { DATABASE_URL: target });
    expect(again.code).toBe(0);
    const names = readdirSync(dirname(filePathOf(target) ?? ''));
    expect(names.filter((name) => name.includes('restoring'))).toEqual([]);
    const roster = await startRoster({ DATABASE_URL: target });
    expect((await fetch(`${roster.address}/sign-in`)).status).toBe(200);
  },
);

test('a restore to a bare machine that is killed leaves nothing or all of it', { timeout }, async () => {
  const url = await readyUrl('sqlite');
  await fill(url);
  const file = await backUp(url, '--with-key');
  const restoring = async (moment: number) => {
    const target = `sqlite:${join(temporaryFolder(), 'data', 'roster.db')}`;
    return {
      target,
      ...(await runToEnd(['restore', file, '--yes'], { DATABASE_URL: target, ...killAt(moment) })),
    };
  };
  const all = momentsIn((await restoring(0)).error);
  const ends = new Set<string>();
  let drafts = 0;
  for (const moment of chosen(all, 10)) {
    const { target, code } = await restoring(moment);
    expect(code, `killed at ${moment}`).toBe(null);
    const path = filePathOf(target) ?? '';
    const beside = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
    if (beside.some((name) => name.includes('.restoring.new-'))) drafts++;
    ends.add(existsSync(path) ? 'all' : 'nothing');
    if (!existsSync(path)) continue;
    expect(await within(target, usernamesIn), `killed at ${moment}`).toHaveLength(5);
    expect(await faultsIn(target), `killed at ${moment}`).toEqual([]);
  }
  expect([...ends].sort()).toEqual(['all', 'nothing']);
  // In the middle of it, too.
  expect(drafts).toBeGreaterThan(5);
});

test('a restore to PostgreSQL that is killed leaves nothing or all of it, and the next start removes what it has copied', {
  timeout,
}, async () => {
  const url = await readyUrl('sqlite');
  await fill(url);
  const file = await backUp(url, '--with-key');
  const restoring = async (moment: number) => {
    const [target, folder] = [await temporaryUrl('postgres'), temporaryFolder()];
    const settings = { DATABASE_URL: target, SECRET_KEY_FILE: join(folder, 'secret.key') };
    return {
      ...(await runToEnd(['restore', file, '--yes'], { ...settings, ...killAt(moment) })),
      settings,
      folder,
    };
  };
  const all = momentsIn((await restoring(0)).error);
  const ends = new Set<number>();
  for (const moment of chosen(all, 5)) {
    const { settings, folder, code } = await restoring(moment);
    expect(code, `killed at ${moment}`).toBe(null);
    const isCopied = readdirSync(folder).some((name) => name.includes('.restoring.new-'));
    const roster = await startRoster(settings);
    const found = await within(settings.DATABASE_URL, usernamesIn);
    if (isCopied) ends.add(found.length);
    expect([0, 5], `killed at ${moment}`).toContain(found.length);
    expect(readdirSync(folder).filter((name) => name.includes('restoring'))).toEqual([]);
    roster.child.kill('SIGKILL');
  }
  expect(ends).toContain(0);
});

test('a migration that is killed goes on at the next start, and what was kept of the file of before is whole', {
  timeout,
}, async () => {
  const bytes = gunzipSync(readFileSync(join(import.meta.dirname, '..', 'db', 'versions', '5.db.gz')));
  const migrating = async (moment: number) => {
    const path = join(temporaryFolder(), 'roster.db');
    writeFileSync(path, bytes);
    return {
      path,
      ...(await runToEnd(['rebuild-search'], { DATABASE_URL: `sqlite:${path}`, ...killAt(moment) })),
    };
  };
  const whole = await migrating(0);
  expect(whole.code).toBe(0);
  const then = await within(`sqlite:${whole.path}`, usernamesIn);
  for (const moment of chosen(momentsIn(whole.error), 5)) {
    const { path, code } = await migrating(moment);
    expect(code, `killed at ${moment}`).toBe(null);
    const kept = `${path}.before-version-${MIGRATIONS.length}`;
    if (existsSync(kept)) expect(readFileSync(kept).equals(bytes), `killed at ${moment}`).toBe(true);
    expect(await within(`sqlite:${path}`, usernamesIn), `killed at ${moment}`).toEqual(then);
    expect(await faultsIn(`sqlite:${path}`), `killed at ${moment}`).toEqual([]);
    expect(readFileSync(kept).equals(bytes), `killed at ${moment}`).toBe(true);
  }
});

test('a migration on PostgreSQL that is killed goes on at the next start', { timeout }, async () => {
  const migrating = async (moment: number) => {
    const url = await restoreVersion(5, 'postgres');
    const settings = { DATABASE_URL: url, ...killAt(moment, 'statements') };
    return { url, ...(await runToEnd(['rebuild-search'], settings)) };
  };
  const whole = await migrating(0);
  expect(whole.code).toBe(0);
  const then = await within(whole.url, usernamesIn);
  const [all, count] = [momentsIn(whole.error), inject('isLong') ? 10 : 2];
  const versions: number[] = [];
  for (let kill = 1; kill <= count; kill++) {
    const moment = Math.round((kill * all) / (count + 1));
    const { url, code } = await migrating(moment);
    expect(code, `killed at ${moment}`).toBe(null);
    const asItIs = openAsItIs(url);
    const version = await engineOf(asItIs).readVersion(asItIs);
    versions.push(version);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await within(url, usernamesIn), `killed at ${moment}`).toEqual(then);
    const isHalf = version > 0 && version < MIGRATIONS.length;
    const said = `is brought from version ${version} to ${MIGRATIONS.length}.`;
    expect(log.mock.calls.join('\n').includes(said), `killed at ${moment}`).toBe(isHalf);
    log.mockRestore();
    expect(await faultsIn(url), `killed at ${moment}`).toEqual([]);
  }
  // In the middle of it, too.
  expect(versions.filter((version) => version > 5 && version < MIGRATIONS.length).length).toBeGreaterThan(0);
});

test('two that restore at the same time do so one after the other, or the second is refused', async () => {
  const url = await readyUrl('sqlite');
  await fill(url);
  const file = await backUp(url);
  const then = await within(url, usernamesIn);
  await within(url, (db) => addUsers(db, ['late']));
  const codes = await Promise.all(
    [1, 2, 3].map(() => runToEnd(['restore', file, '--yes'], { DATABASE_URL: url }).then(({ code }) => code)),
  );
  expect(codes).toContain(0);
  for (const code of codes) expect([0, 2]).toContain(code);
  expect(await within(url, usernamesIn)).toEqual(then);
  expect(await faultsIn(url)).toEqual([]);
});

test('Rosters that are started again and again meanwhile never open half of it', async () => {
  const url = await readyUrl('sqlite');
  await fill(url);
  const file = await backUp(url);
  const then = await within(url, usernamesIn);
  await within(url, (db) => addUsers(db, ['late']));
  let isOver = false;
  // As a service manager does; each ends by itself as soon as it can.
  const starting = (async () => {
    while (!isOver) {
      const child = run([], { DATABASE_URL: url, PORT: '0' });
      child.stdout.once('data', () => child.kill('SIGTERM'));
      await new Promise((resolve) => child.once('exit', resolve));
    }
  })();
  let code: number | null = 2;
  for (let attempt = 0; code !== 0 && attempt < 200; attempt++)
    ({ code } = await runToEnd(['restore', file, '--yes'], { DATABASE_URL: url }));
  isOver = true;
  await starting;
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(then);
  expect(await faultsIn(url)).toEqual([]);
});
