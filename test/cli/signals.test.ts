/** Long commands end with the npm that has started them. */
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Db } from '../../src/db/schema.ts';
import { runNpm } from '../roster.ts';
import { readyUrl, temporaryDatabase, temporaryFolder } from '../support.ts';

/** What a command says until all its processes have ended, of which npm is hung up on once something was said. */
async function hungUp(args: readonly string[], settings: Record<string, string>, once: string) {
  const npm = runNpm(args, settings);
  let out = '';
  for await (const chunk of npm.stdout.setEncoding('utf8')) {
    out += chunk;
    // Of npm alone, which passes it on to nobody.
    if (out.includes(once)) npm.kill('SIGHUP');
  }
  return out;
}

async function countUsers(db: Db): Promise<number> {
  return (await db.selectFrom('users').select('id').execute()).length;
}

// Whoever waits for a server hears of it anyway.
test.runIf(inject('engine') === 'sqlite')(
  'a seed and a copy are given up when npm hangs up, and nothing of them is saved',
  async () => {
    const [from, to] = [await readyUrl(), await readyUrl()];
    const [source, target] = [await temporaryDatabase(from), await temporaryDatabase(to)];
    const seeded = await hungUp(['run', 'seed', '--', '100000'], { DATABASE_URL: from }, 'Database: ');
    expect(seeded).not.toContain('100,000 of 100,000');
    expect(await countUsers(source)).toBe(0);

    await seedUsers(source, 40_000);
    const copy = ['run', 'roster', '--', 'copy', '--from-env', 'FROM', '--to-env', 'TO'];
    const settings = { FROM: from, TO: to, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
    const copied = await hungUp(copy, settings, 'To: ');
    expect(copied).toContain('To: ');
    expect(copied).not.toContain('have arrived');
    expect(await countUsers(target)).toBe(0);
  },
);
