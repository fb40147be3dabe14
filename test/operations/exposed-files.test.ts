/** Who else on the machine can read what Roster keeps. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findExposedFiles } from '../../src/operations/exposed-files.ts';
import { startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

function modesIn(folder: string): Record<string, string> {
  const modes = readdirSync(folder).map((name) => [name, modeOf(join(folder, name))] as const);
  return Object.fromEntries(modes);
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test('what Roster makes is for its owner alone, whatever the shell it is started from would allow', async () => {
  const folder = join(temporaryFolder(), 'data');
  const { child, stderr } = await startRoster({
    DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`,
    NODE_OPTIONS: '--import data:text/javascript,process.umask(0)',
  });
  expect(modeOf(folder)).toBe('700');
  expect(modesIn(folder)).toEqual({
    'roster.db': '600',
    'roster.db-shm': '600',
    'roster.db-wal': '600',
    'secret.key': '600',
  });
  if (process.platform === 'linux')
    expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(/^Umask:\s+0077$/m);
  child.kill('SIGTERM');
  expect(await stderr).toBe('');
});

test('what others can read is said at the start, with the command that mends it', async () => {
  const folder = join(temporaryFolder(), "my 'data'");
  mkdirSync(folder, { mode: 0o755 });
  const path = join(folder, 'roster.db');
  const { child } = await startRoster({ DATABASE_URL: `sqlite:${path}` });
  child.kill('SIGTERM');
  await once(child, 'exit');
  for (const name of ['roster.db', 'secret.key']) chmodSync(join(folder, name), 0o644);
  const { child: again, stderr } = await startRoster({ DATABASE_URL: `sqlite:${path}` });
  again.kill('SIGTERM');
  const quoted = folder.replaceAll("'", `'\\''`);
  expect(await stderr).toBe(
    `Warning: other users of this machine can read what Roster keeps. Mend it with: chmod 700 '${quoted}' && chmod 600 '${quoted}/roster.db' '${quoted}/roster.db-wal' '${quoted}/roster.db-shm' '${quoted}/secret.key'\n`,
  );
});

test('a folder with other things in it is left as it is', () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  for (const name of ['roster.db', 'secret.key', 'something else'])
    writeFileSync(join(folder, name), '', { mode: 0o640 });
  const files = { databaseUrl: `sqlite:${folder}/roster.db`, secretKeyFile: `${folder}/secret.key` };
  for (const name of ['roster.db', 'secret.key']) chmodSync(join(folder, name), 0o640);
  expect(findExposedFiles(files)).toEqual([
    `Warning: other users of this machine can read what Roster keeps. Mend it with: chmod 600 ${folder}/roster.db ${folder}/secret.key`,
  ]);
  for (const name of ['roster.db', 'secret.key']) chmodSync(join(folder, name), 0o600);
  expect(findExposedFiles(files)).toEqual([]);
});
