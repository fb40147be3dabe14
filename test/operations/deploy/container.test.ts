/** The container: the Dockerfile's steps, and the commands that its page has for it, as an unprivileged user with read-only code. */
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { FOLDERS } from '../../folders.ts';
import { lack } from '../../requirements.ts';
import {
  build,
  type Container,
  canContain,
  exec,
  type Image,
  start,
  stepsOf,
  untilHealthy,
} from './container.ts';
import { firstProcessIn } from './namespaces.ts';
import { commandsOf, PROJECT, readDeployed } from './pages.ts';

const NOT_ALLOWED = 'It takes root on Linux, and the programs ip, unshare, nsenter and setpriv.';
const PASSWORD = 'a container that keeps its secrets';

const STEPS = stepsOf(readDeployed('Dockerfile'));
const FILES = STEPS.filter(({ name }) => name === 'COPY').flatMap(({ rest }) => rest.split(' ').slice(0, -1));

let image: Image | undefined;

beforeAll(() => {
  if (canContain()) image = build(mkdtempSync(join(FOLDERS, 'roster-test-')));
});

afterAll(() => {
  if (image) rmSync(image.root, { recursive: true });
});

beforeEach(() => {
  if (image === undefined) return;
  for (const name of readdirSync(image.volume)) if (name !== 'backups') rmSync(join(image.volume, name));
});

/** Everything below some files and folders. */
function filesOf(root: string, names: readonly string[]): string[] {
  return names
    .flatMap((name) => (statSync(join(root, name)).isFile() ? [name] : globSync(`${name}/**`, { cwd: root })))
    .toSorted();
}

/** The page's `docker run` lines: the settings of each, and what follows the name of the image. */
const RUNS = `${commandsOf('As a container')[0]}`
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.startsWith('docker run '))
  .map((line) => {
    const [, options = '', args] = /^docker run (.*) roster(?: (.*))?$/.exec(line) ?? [];
    const { values } = parseArgs({
      args: options.split(' '),
      options: {
        env: { type: 'string', multiple: true, default: [] },
        volume: { type: 'string' },
        publish: { type: 'string' },
        name: { type: 'string' },
        restart: { type: 'string' },
        'stop-timeout': { type: 'string' },
        'cap-drop': { type: 'string' },
        'security-opt': { type: 'string' },
        'read-only': { type: 'boolean' },
        rm: { type: 'boolean' },
        detach: { type: 'boolean' },
        interactive: { type: 'boolean' },
        tty: { type: 'boolean' },
      },
    });
    const env = values.env.map((pair) => [pair.replace(/=.*/s, ''), pair.replace(/^[^=]*=/, '')]);
    return {
      values,
      args: args ? args.split(' ') : [],
      env: Object.fromEntries(env) as Record<string, string>,
    };
  });

async function endOf({ child, stdout, stderr }: Container) {
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  return { code, said: `${await stdout}${await stderr}` };
}

function run(built: Image, args: readonly string[], env: Record<string, string>, input?: string): Container {
  const container = start(built, args, env, input);
  onTestFinished(() => void container.child.kill('SIGKILL'));
  return container;
}

const [ADMIN, SERVE] = RUNS;

/** Makes the database of a new volume. */
async function makeAdministrator(built: Image): Promise<void> {
  const { code, said } = await endOf(run(built, ADMIN?.args ?? [], ADMIN?.env ?? {}, `${PASSWORD}\n`));
  expect(code, said).toBe(0);
  expect(said).toContain('alice is an administrator');
}

describe('the image', () => {
  test('is of the Node that the project is tested with', () => {
    expect(STEPS[0]).toEqual({ name: 'FROM', rest: `node:${process.versions.node}-slim` });
  });

  test('starts Roster as “npm start” does', () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    const entrypoint = STEPS.find(({ name }) => name === 'ENTRYPOINT');
    const set = STEPS.findLast(({ name }) => name === 'ENV');
    expect(`exec env ${set?.rest} ${JSON.parse(entrypoint?.rest ?? '[]').join(' ')}`).toBe(scripts.start);
  });

  test('is sent what it is made of, and nothing else', () => {
    const [everything, ...but] = readDeployed('Dockerfile.dockerignore')
      .replace(/^#.*\n/, '')
      .trim()
      .split('\n');
    expect(everything).toBe('*');
    expect(but.toSorted()).toEqual(FILES.map((name) => `!${name}`).toSorted());
  });

  test('runs as a user by number, who is not root', () => {
    expect(STEPS.find(({ name }) => name === 'USER')?.rest).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('has these files of the project, what it needs to run, one Node, and an empty volume', ({ skip }) => {
    if (image === undefined) return lack(skip, NOT_ALLOWED);
    expect(filesOf(image.folder, FILES)).toEqual(filesOf(PROJECT, FILES));
    expect(readdirSync(image.folder).toSorted()).toEqual([...FILES, 'node_modules'].toSorted());
    const packages = readdirSync(join(image.folder, 'node_modules'));
    expect(packages).toContain('better-sqlite3');
    expect(packages).not.toContain('typescript');
    expect(packages.filter((name) => /^node-(bin|darwin|linux|win)/.test(name))).toEqual([]);
  });
});

test('the page’s commands make an administrator and serve; it is healthy until it is told to stop, and stops in time', async ({
  skip,
}) => {
  if (image === undefined) return lack(skip, NOT_ALLOWED);
  const built = image;
  for (const { values } of RUNS) expect(values).toMatchObject({ 'read-only': true, volume: 'roster:/data' });
  await makeAdministrator(built);
  const container = run(built, SERVE?.args ?? [], { ...SERVE?.env, DRAIN_SECONDS: '1' });
  await untilHealthy(built, container);
  const page = `
    import { get } from 'node:http';
    const headers = { host: 'users.example.org' };
    get('http://127.0.0.1:3000/sign-in', { headers }, (answer) => console.log(answer.destroy().statusCode));`;
  expect(exec(built, container, ['node', '--input-type=module', '-e', page])).toEqual({
    status: 0,
    said: '200\n',
  });
  const check = exec(built, container, ['node', 'src/main.js', 'check']);
  expect(check, check.said).toMatchObject({ status: 0 });
  const backup = exec(built, container, ['node', 'src/main.js', 'backup', join(built.volume, 'backups')]);
  expect(backup, backup.said).toMatchObject({ status: 0 });

  const begun = performance.now();
  process.kill(firstProcessIn(container.child), 'SIGTERM');
  const { code, said } = await endOf(container);
  expect(performance.now() - begun).toBeLessThan(11_000);
  expect(code, said).toBe(0);
  expect(said).not.toMatch(/EROFS|EACCES|Warning/);
  expect(readdirSync(built.volume)).toEqual(expect.arrayContaining(['backups', 'roster.db', 'secret.key']));
});

test('it is unhealthy where nothing answers, and healthy behind a path; a second signal ends it at once', async ({
  skip,
}) => {
  if (image === undefined) return lack(skip, NOT_ALLOWED);
  await makeAdministrator(image);
  const container = run(image, [], {
    ...SERVE?.env,
    ORIGIN: 'https://example.org/roster',
    DRAIN_SECONDS: '60',
  });
  await untilHealthy(image, container);
  expect(exec(image, container, image.healthcheck, { PORT: '3001' }).status).toBe(1);
  for (const signal of ['SIGTERM', 'SIGINT']) process.kill(firstProcessIn(container.child), signal);
  expect((await endOf(container)).code).not.toBe(0);
});

test('without its settings it says which it lacks, and nothing is made in its volume', async ({ skip }) => {
  if (image === undefined) return lack(skip, NOT_ALLOWED);
  const { code, said } = await endOf(run(image, [], {}));
  expect(code).toBe(1);
  expect(said).toContain('set ORIGIN to the https address of the proxy before it');
});
