/** Roster on exFAT, which has neither hard links nor permissions: an image, mounted by root with exfatprogs and exfat-fuse. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { pageOf } from '../page.ts';
import { startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

const PROGRAMS = ['mkfs.exfat', 'mount.exfat-fuse', 'losetup', 'umount'];
const hasPrograms = PROGRAMS.every((name) => spawnSync(name, ['-V']).error === undefined);
const canMount = inject('isLong') && process.getuid?.() === 0 && hasPrograms;

/** An empty exFAT, gone after the test. */
function mountExfat(): string {
  const folder = temporaryFolder();
  const [image, mounted] = [join(folder, 'image'), join(folder, 'mounted')];
  mkdirSync(mounted);
  writeFileSync(image, '');
  truncateSync(image, 64 * 1024 * 1024);
  execFileSync('mkfs.exfat', [image], { stdio: 'ignore' });
  const device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
  onTestFinished(() => void execFileSync('losetup', ['--detach', device]));
  execFileSync('mount.exfat-fuse', [device, mounted], { stdio: 'ignore' });
  onTestFinished(() => void execFileSync('umount', ['--lazy', mounted]));
  return mounted;
}

test.skipIf(!canMount)(
  `several Rosters start at once on exFAT, and lose nothing when they are killed (with npm run test:reliability, as root, with ${PROGRAMS.join(', ')})`,
  async () => {
    const folder = join(mountExfat(), 'data');
    const settings = { DATABASE_URL: `sqlite:${join(folder, 'roster.db')}` };
    const rosters = await Promise.all([1, 2, 3].map(() => startRoster(settings)));
    const names = rosters.map(({ address }) => `user${new URL(address).port}`);
    for (const [index, { address }] of rosters.entries()) {
      const username = names[index] ?? '';
      const body = new URLSearchParams({ username, email: `${username}@example.org` });
      const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
      expect(answer.status).toBe(303);
    }
    for (const { child } of rosters) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const { child, address, stderr } = await startRoster(settings);
    const page = pageOf(await (await fetch(`${address}/users`)).text());
    expect(page.column('User')).toEqual(expect.arrayContaining(names));
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(readdirSync(folder).sort()).toEqual(['roster.db', 'roster.db.erased.jsonl', 'secret.key']);
    expect(await stderr).toBe(
      `Warning: other users of this machine can read what Roster keeps in ${folder}, whose file system has no permissions. Mount that with umask=077, or keep it elsewhere.\n`,
    );
  },
);
