/** Installed without its scripts, as `ignore-scripts=true` has it, and by each npm: two commands make Roster serve, the second of which it names. */
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { lack } from '../requirements.ts';
import { launch, startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const { PATH = '', HOME = '' } = process.env;
/** Without what npm adds, such as the Node that this project has installed. */
const OWN_PATH = PATH.split(delimiter).filter((folder) => !folder.includes('node_modules'));

function copyProject(): string {
  const folder = temporaryFolder();
  for (const name of ['package.json', 'package-lock.json', 'src', 'views', 'public'])
    cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  return folder;
}

/** Programs as they run in a folder, where one npm comes first. */
function startingIn(folder: string, path: readonly string[] = []) {
  const settings = {
    HOME,
    PATH: [...path, ...OWN_PATH].join(delimiter),
    npm_config_update_notifier: 'false',
    npm_config_prefer_offline: 'true',
  };
  return (program: string, args: readonly string[], more: Record<string, string> = {}) =>
    launch(program, args, { ...more, ...settings }, '', folder);
}

async function endOf(child: ReturnType<typeof launch>) {
  const [said, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { said: said.trim(), errors, code };
}

/** The folder with an npm of that version, which may have to be downloaded; undefined where that does not work. */
async function findNpm(version: string): Promise<string | undefined> {
  const find = ['--yes', '--package', `npm@${version}`, '--call', 'command -v npm'];
  const { said, code } = await endOf(startingIn(temporaryFolder())('npx', find));
  return code === 0 ? dirname(said) : undefined;
}

test.for(['10', '11'])('with npm %s', async (version, { skip }) => {
  if (!inject('isLong')) return skip('It installs Roster: npm run test:reliability');
  const npm = await findNpm(version);
  if (npm === undefined) return lack(skip, `There is no npm ${version} here, nor a way to it.`);
  const start = startingIn(copyProject(), [npm]);
  expect((await endOf(start('npm', ['--version']))).said).toMatch(new RegExp(`^${version}\\.`));
  expect(await endOf(start('npm', ['ci', '--omit=dev', '--ignore-scripts']))).toMatchObject({ code: 0 });
  const settings = { DATABASE_URL: `sqlite:${join(temporaryFolder(), 'roster.db')}` };
  const startByNpm = (args: readonly string[], more: Record<string, string>) => start('npm', args, more);
  const roster = await startRoster(settings, startByNpm).catch(async ({ message }: Error) => {
    // Where Node itself is too old.
    const [, command = ''] =
      /not linked as \S+: "(npm [^"]+)" does that, then "npm start" again/.exec(message) ?? [];
    expect(command, message).not.toBe('');
    expect(await endOf(start('sh', ['-c', command]))).toMatchObject({ code: 0 });
    return startRoster(settings, startByNpm);
  });
  expect((await fetch(`${roster.address}/users`)).status).toBe(200);
  const ended = once(roster.child, 'exit');
  roster.child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
