/** What an engine for containers would make of the Dockerfile, where there is none: its steps, in a folder that stands for the image. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstProcessIn, withoutNpm } from './namespaces.ts';
import { PROJECT, readDeployed } from './pages.ts';

type Step = { name: string; rest: string };

export type Image = {
  /** Its root folder: of what an image would have, that which the Dockerfile puts there, and Node. */
  root: string;
  base: string;
  env: Record<string, string>;
  folder: string;
  user: string;
  volume: string;
  healthcheck: string[];
  entrypoint: string[];
};

export type Container = { child: ChildProcess; stdout: Promise<string>; stderr: Promise<string> };

/** The folders of the image that this one makes anew; below a root of ours they are nobody else's. */
const PLACES = /(?<![\w./])\/(app|data)\b/g;

/** With no right of root’s but its cache of packages, which is to be used: to install them takes none. */
const UNPRIVILEGED = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];

/** In namespaces of its own, with nothing but the volume to write to, as `--read-only` has it. */
const NAMESPACES = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
const READ_ONLY = `
  ip link set lo up
  mount --bind "$0" "$0"
  mount --bind "$1" "$1"
  mount -o remount,bind,ro "$0"
  mount -o remount,bind,ro /
  shift
  exec "$@"`;

/** Whether this user may have such namespaces here. */
export function canContain(): boolean {
  const { status } = spawnSync('unshare', [...NAMESPACES, 'ip', 'link', 'set', 'lo', 'up']);
  return status === 0 && process.getuid?.() === 0;
}

export function stepsOf(dockerfile: string): Step[] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', '')
    .split('\n');
  return lines
    .map((line) => /^([A-Z]+) (.+)$/.exec(line))
    .flatMap((match) => (match ? [{ name: match[1] ?? '', rest: match[2] ?? '' }] : []));
}

/** @param root an empty folder */
export function build(root: string): Image {
  chmodSync(root, 0o755);
  const within = (value: string) => value.replaceAll(PLACES, (path) => root + path);
  const image: Image = {
    root,
    base: '',
    env: {},
    folder: root,
    user: '',
    volume: '',
    healthcheck: [],
    entrypoint: [],
  };
  const act: Record<string, (rest: string) => void> = {
    FROM(rest) {
      image.base = rest;
      mkdirSync(join(root, 'bin'));
      cpSync(process.execPath, join(root, 'bin', 'node'));
    },
    ENV(rest) {
      for (const [, name = '', value = ''] of within(rest).matchAll(/(\w+)=(\S+)/g)) image.env[name] = value;
    },
    WORKDIR(rest) {
      image.folder = within(rest);
      mkdirSync(image.folder, { recursive: true });
    },
    COPY(rest) {
      const names = rest.split(' ');
      const to = names.pop() ?? '';
      for (const name of names)
        cpSync(join(PROJECT, name), join(image.folder, to, to.endsWith('/') ? basename(name) : ''), {
          recursive: true,
        });
    },
    RUN(rest) {
      const command = within(rest.replace(/^--mount=\S+ /, ''));
      const shell = ['sh', '-ec', command];
      const [program = '', ...args] = command.startsWith('npm ') ? [...UNPRIVILEGED, ...shell] : shell;
      const { status, stderr } = spawnSync(program, args, {
        cwd: image.folder,
        env: withoutNpm(process.env),
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${rest}: ${stderr}`);
    },
    USER(rest) {
      image.user = rest;
    },
    VOLUME(rest) {
      image.volume = within(rest);
    },
    EXPOSE() {},
    HEALTHCHECK(rest) {
      image.healthcheck = JSON.parse(rest.slice(rest.indexOf('[')));
    },
    ENTRYPOINT(rest) {
      image.entrypoint = JSON.parse(rest);
    },
  };
  for (const { name, rest } of stepsOf(readDeployed('Dockerfile'))) {
    const how = act[name];
    if (how === undefined) throw new Error(`Nothing here knows ${name}.`);
    how(rest);
  }
  return image;
}

/** As its user, who can get no more rights than that, with the settings of the image and these. */
function asUser({ user, root, folder }: Image, command: readonly string[]): string[] {
  const [uid = '', gid = ''] = user.split(':');
  const rights = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--no-new-privs',
    '--bounding-set=-all',
  ];
  return ['setpriv', ...rights, 'env', `--chdir=${folder}`, `PATH=${join(root, 'bin')}`, ...command];
}

/** @param env what it is set to beside the image's own @param input what it reads */
export function start(
  image: Image,
  args: readonly string[],
  env: Record<string, string>,
  input = '',
): Container {
  const { root, volume, entrypoint } = image;
  const command = asUser(image, [...entrypoint, ...args]);
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-ec', READ_ONLY, root, volume, ...command], {
    env: { PATH: process.env.PATH ?? '', ...image.env, ...env },
    stdio: 'pipe',
  });
  child.stdin.end(input);
  return { child, stdout: text(child.stdout), stderr: text(child.stderr) };
}

/** Runs a command in it, as `docker exec` does. */
export function exec(
  image: Image,
  container: Container,
  command: readonly string[],
  env: Record<string, string> = {},
) {
  const where = [`--target=${firstProcessIn(container.child)}`, '--mount', '--pid', '--net'];
  const { status, stdout, stderr } = spawnSync('nsenter', [...where, ...asUser(image, command)], {
    env: { PATH: process.env.PATH ?? '', ...image.env, ...env },
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

/** Asks as the engine does, again and again, until it is healthy. */
export async function untilHealthy(image: Image, container: Container): Promise<void> {
  for (let attempt = 0; attempt < 100 && container.child.exitCode === null; attempt++) {
    if (firstProcessIn(container.child) > 0 && exec(image, container, image.healthcheck).status === 0) return;
    await sleep(50);
  }
  container.child.kill('SIGKILL');
  throw new Error(`It is not healthy, and has said: ${await container.stdout}${await container.stderr}`);
}
