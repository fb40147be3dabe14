/** Roster on exFAT and FAT, which have neither hard links nor permissions: images, mounted by root, with exfatprogs and exfat-fuse, and with dosfstools. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { pageOf } from '../page.ts';
import { lack } from '../requirements.ts';
import { startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

/** By which each is made and mounted. */
const SYSTEMS = [
  { name: 'exFAT', make: ['mkfs.exfat'], mount: ['mount.exfat-fuse'] },
  { name: 'FAT', make: ['mkfs.vfat'], mount: ['mount', '-t', 'vfat'] },
];
type System = (typeof SYSTEMS)[number];

const canRun = (...[program = '', ...args]: string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** An empty one, gone after the test; undefined where that is not allowed, or a program is missing. */
function mounted({ make, mount }: System): string | undefined {
  const folder = temporaryFolder();
  const [image, at] = [join(folder, 'image'), join(folder, 'mounted')];
  mkdirSync(at);
  writeFileSync(image, '');
  truncateSync(image, 64 * 1024 * 1024);
  if (!canRun(...make, image)) return undefined;
  const device = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).stdout?.trim();
  if (!device) return undefined;
  onTestFinished(() => void canRun('losetup', '--detach', device));
  if (!canRun(...mount, device, at)) return undefined;
  onTestFinished(() => void canRun('umount', '--lazy', at));
  return at;
}

test.for(SYSTEMS)(
  'several Rosters start at once on $name, and lose nothing when they are killed',
  async (system, { skip }) => {
    if (!inject('isLong')) return skip('It mounts something: npm run test:reliability');
    const disk = mounted(system);
    if (disk === undefined)
      return lack(skip, `This user may not mount ${system.name} here, or cannot make one.`);
    const folder = join(disk, 'data');
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
