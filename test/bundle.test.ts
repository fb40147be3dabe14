/** A start loads the bundle that `npm ci` has made, as long as it is made of what is there. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, inject, test } from 'vitest';
import { askForHelp, installRoster } from './installation.ts';
import { launch, listenTo, preloading } from './roster.ts';
import { readyUrl, temporaryFolder } from './support.ts';

/** With PostgreSQL a Roster loads more once it serves; what becomes of a bundle is all the same. */
const onPostgres = inject('engine') === 'postgres';
const testBundle = test.skipIf(onPostgres);

/** Prints which files are loaded, one a line; threads load those of before. */
const NAMING_FILES = preloading(`
  import { registerHooks } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:') && isMainThread) console.log(decodeURIComponent(url));
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

function sharePackages(project: string, owner: string): void {
  rmSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(join(owner, 'node_modules'), join(project, 'node_modules'));
}

/** What it says until it listens. */
async function serve(project: string, settings: Record<string, string>): Promise<string> {
  const main = join(project, 'src', 'main.js');
  const all = { PORT: '0', DATABASE_URL: await readyUrl(), ...settings };
  const { said } = await listenTo(launch(process.execPath, [main], all));
  return said();
}

async function withBundle(folder = temporaryFolder()): Promise<string> {
  const project = installRoster(folder);
  await makeBundle(project);
  return project;
}

const folder = temporaryFolder(afterAll);
let unchanged: Promise<string> | undefined;

/** One in which nothing is changed. */
function sharedWithBundle(): Promise<string> {
  unchanged ??= withBundle(folder);
  return unchanged;
}

async function loaded(project: string): Promise<string> {
  return (await askForHelp(project, NAMING_FILES)).stdout;
}

testBundle('nothing else but a few files of its own is loaded then', async () => {
  const files = await loaded(await sharedWithBundle());
  expect(files).toMatch(BUNDLE);
  expect(files).not.toMatch(/\.ts$/m);
});

test('nor to serve', async () => {
  const said = await serve(await sharedWithBundle(), NAMING_FILES);
  expect(said).toMatch(BUNDLE);
  expect(said).not.toMatch(/\.ts$/m);
});

testBundle('that it does not hold any more is logged for who looks closely', async () => {
  const project = await withBundle();
  expect(await serve(project, { LOG_LEVEL: 'debug' })).not.toContain('the bundle is not used');
  appendFileSync(join(project, 'src', 'app.ts'), '\n');
  expect(await serve(project, { LOG_LEVEL: 'debug' })).toContain('the bundle is not used');
});

testBundle('a file that was edited since is what runs, until another bundle is made', async () => {
  const project = await withBundle();
  appendFileSync(join(project, 'src', 'cli', 'commands.ts'), "\nconsole.log('edited');\n");
  for (const expected of [SOURCE, BUNDLE]) {
    const said = await loaded(project);
    expect(said).toMatch(expected);
    expect(said).toContain('\nedited\n');
    await makeBundle(project);
  }
});

testBundle.each([
  'node_modules/eta/dist/index.mjs',
  'node_modules/eta/package.json',
  'node_modules/.package-lock.json',
])('so is %s', async (name) => {
  const project = installRoster();
  const eta = join(project, 'node_modules', 'eta');
  const original = realpathSync(eta);
  rmSync(eta);
  cpSync(original, eta, { recursive: true });
  writeFileSync(join(project, 'node_modules', '.package-lock.json'), '{}');
  await makeBundle(project);
  expect(await loaded(project)).toMatch(BUNDLE);
  appendFileSync(join(project, name), '\n');
  expect(await loaded(project)).toMatch(SOURCE);
});

testBundle('a bundle of which something is gone, or to which others may write, is not loaded', async () => {
  const project = await withBundle();
  const cache = join(project, 'node_modules', '.cache', 'roster');
  chmodSync(cache, 0o777);
  expect(await loaded(project)).toMatch(SOURCE);
  chmodSync(cache, 0o700);
  const [, gone = ''] = /^file:\/\/(.*\/bundle-\w+\/.*)$/m.exec(await loaded(project)) ?? [];
  rmSync(gone);
  expect(await loaded(project)).toMatch(SOURCE);
});

test.skipIf(onPostgres || process.platform === 'win32')('nor is what was put there read', async () => {
  const project = await withBundle();
  const cache = join(project, 'node_modules', '.cache', 'roster');
  const [record = ''] = globSync('*/record.json', { cwd: cache });
  rmSync(join(cache, record));
  // Whoever reads it waits until somebody writes.
  execFileSync('mkfifo', [join(cache, record)]);
  chmodSync(cache, 0o777);
  expect(await loaded(project)).toMatch(SOURCE);
});

testBundle(
  'what was made more than a day before, and was not the last, goes, and what was compiled, and nothing of others',
  async () => {
    const project = await withBundle();
    const other = installRoster();
    sharePackages(other, project);
    await makeBundle(other);
    const cache = join(project, 'node_modules', '.cache', 'roster');
    mkdirSync(join(cache, 'v0-x64'));
    writeFileSync(join(cache, 'v0-x64', 'compiled'), '');
    const bundles = () => globSync('*/bundle-*', { cwd: cache });
    const yesterday = Date.now() / 1000 - 86_401;
    for (const name of ['v0-x64/compiled', ...bundles()]) utimesSync(join(cache, name), yesterday, yesterday);
    for (const left of [3, 3]) {
      appendFileSync(join(project, 'src', 'cli', 'commands.ts'), '\n');
      await makeBundle(project);
      expect(bundles()).toHaveLength(left);
    }
    expect(existsSync(join(cache, 'v0-x64', 'compiled'))).toBe(false);
    for (const one of [project, other]) expect(await loaded(one)).toMatch(BUNDLE);
  },
);

testBundle('wherever the project is one is made, and starts', async () => {
  const project = installRoster(join(temporaryFolder(), "$$ $& ' ".repeat(20)));
  await makeBundle(project);
  expect(await loaded(project)).toMatch(BUNDLE);
});

testBundle('none is made of what would mean the bundle, not its own file', async () => {
  const project = installRoster();
  appendFileSync(join(project, 'src', 'cli', 'commands.ts'), 'console.log(import.meta.filename);\n');
  const child = launch(process.execPath, [join(project, 'src', 'make-bundle.js')], {}, '', project);
  expect(await text(child.stderr)).toContain('commands.ts: import.meta.filename would be that of the bundle');
});

testBundle('without the bundler none is made, and Roster starts all the same', async () => {
  const project = installRoster();
  rmSync(join(project, 'node_modules', 'rolldown'));
  await makeBundle(project);
  expect(await loaded(project)).toMatch(SOURCE);
});

testBundle(
  'an error names the file that it was made of, and its line, also with packages that are shared',
  async () => {
    const fails = preloading('console.log = () => null.gone;');
    const project = installRoster();
    sharePackages(project, installRoster());
    await makeBundle(project);
    const { stderr } = await askForHelp(project, fails);
    const source = join(project, 'src', 'cli', 'commands.ts');
    const line =
      1 +
      readFileSync(source, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('console.log(HELP)'));
    expect(stderr).toContain(`${source}:${line}:`);
  },
);
