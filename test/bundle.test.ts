/** A start loads the bundle that `npm ci` has made, as long as it is made of what is there. */
import { appendFileSync, chmodSync, cpSync, globSync, realpathSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { askForHelp, installRoster } from './installation.ts';
import { launch, preloading } from './roster.ts';

/** Prints which files are loaded, one a line. */
const NAMING_FILES = preloading(`
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) console.log(decodeURIComponent(url));
      return next(url, context);
    },
  });`);

const SOURCE = /\/src\/cli\/commands\.ts$/m;
const BUNDLE = /\/bundle-\w+\/commands\.mjs$/m;

/** As `npm ci` does once all is there. */
async function makeBundle(project: string): Promise<void> {
  const child = launch(process.execPath, [join(project, 'src', 'make-bundle.js')], {}, '', project);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(out + error).toBe('');
}

async function withBundle(): Promise<string> {
  const project = installRoster();
  await makeBundle(project);
  return project;
}

async function loaded(project: string): Promise<string> {
  return (await askForHelp(project, NAMING_FILES)).stdout;
}

test('nothing else but a few files of its own is loaded then', async () => {
  const files = await loaded(await withBundle());
  expect(files).toMatch(BUNDLE);
  expect(files).not.toMatch(/\.ts$/m);
});

test('a file that was edited since is what runs, until another bundle is made', async () => {
  const project = await withBundle();
  appendFileSync(join(project, 'src', 'cli', 'commands.ts'), "\nconsole.log('edited');\n");
  for (const expected of [SOURCE, BUNDLE]) {
    const said = await loaded(project);
    expect(said).toMatch(expected);
    expect(said).toContain('\nedited\n');
    await makeBundle(project);
  }
});

test('so is one of a package', async () => {
  const project = installRoster();
  const eta = join(project, 'node_modules', 'eta');
  const original = realpathSync(eta);
  rmSync(eta);
  cpSync(original, eta, { recursive: true });
  await makeBundle(project);
  expect(await loaded(project)).toMatch(BUNDLE);
  appendFileSync(join(eta, 'dist', 'index.mjs'), '\n');
  expect(await loaded(project)).toMatch(SOURCE);
});

test('a bundle of which something is gone, or to which others may write, is not loaded', async () => {
  const project = await withBundle();
  const cache = join(project, 'node_modules', '.cache', 'roster');
  chmodSync(cache, 0o777);
  expect(await loaded(project)).toMatch(SOURCE);
  chmodSync(cache, 0o700);
  const [, gone = ''] = /^file:\/\/(.*\/bundle-\w+\/.*)$/m.exec(await loaded(project)) ?? [];
  rmSync(gone);
  expect(await loaded(project)).toMatch(SOURCE);
});

test('what was made more than a day before another one goes', async () => {
  const project = await withBundle();
  const cache = join(project, 'node_modules', '.cache', 'roster');
  const filesIn = () => globSync('**/*.mjs', { cwd: cache }).filter((name) => name.includes('/bundle-'));
  const former = filesIn();
  const yesterday = Date.now() / 1000 - 86_401;
  for (const name of former) utimesSync(join(cache, name), yesterday, yesterday);
  await makeBundle(project);
  expect(filesIn().filter((name) => former.includes(name))).toEqual([]);
  expect(await loaded(project)).toMatch(BUNDLE);
});

test('without the bundler none is made, and Roster starts all the same', async () => {
  const project = installRoster();
  rmSync(join(project, 'node_modules', 'rolldown'));
  await makeBundle(project);
  expect(await loaded(project)).toMatch(SOURCE);
});

test('an error names the file that it was made of, and its line', async () => {
  const fails = preloading('console.log = () => null.gone;');
  const { stderr } = await askForHelp(await withBundle(), fails);
  expect(stderr).toMatch(/at .*\/src\/cli\/commands\.ts:\d+/);
});
