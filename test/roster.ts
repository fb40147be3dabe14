/** A Roster in a process of its own, as it is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { hashOf } from '../src/auth/tokens.ts';
import { UNYIELDING } from './setup.ts';
import { readyUrl, temporaryFolder } from './support.ts';

const ROOT = join(import.meta.dirname, '..');
export const MAIN = join(ROOT, 'src', 'main.js');

const LISTENING = /^Roster is at (http:\/\/\S+)\n/m;

export type Roster = {
  child: ChildProcess;
  /** Without a slash at the end. */
  address: string;
  /** Of its database. */
  url: string;
  stderr: Promise<string>;
};

/** Settings with which a Roster runs some code first. */
export const preloading = (code: string) => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}`,
});

/** Settings with which a Roster finds no hard links, as on FAT. */
export const WITHOUT_LINKS = preloading(`
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  fs.linkSync = () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  };
  syncBuiltinESMExports();`);

/** Starts a command, with what it reads from standard input. */
export function run(
  args: readonly string[],
  settings: Record<string, string>,
  input: string | Buffer = '',
  main = MAIN,
  folder = ROOT,
) {
  return launch(process.execPath, [main, ...args], unyielding(settings), input, folder);
}

/** Runs a command to its end, in a process of its own: what it said, and its code. */
export async function runToEnd(...how: Parameters<typeof run>) {
  const child = run(...how);
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { out, error, code };
}

/** Settings with which a Roster comes to an end on a busy machine, besides these. */
export function unyielding({
  NODE_OPTIONS = '',
  ...settings
}: Record<string, string>): Record<string, string> {
  return { ...settings, NODE_OPTIONS: `${UNYIELDING} ${NODE_OPTIONS}` };
}

/** The same as `run` by npm: its children end with it. */
export function runNpm(args: readonly string[], settings: Record<string, string>) {
  const { HOME = '' } = process.env;
  return launch('npm', args, { HOME, npm_config_update_notifier: 'false', ...settings });
}

/** Starts a program with these settings alone; it does not outlive the test. @param input null where standard input is left open */
export function launch(
  program: string,
  args: readonly string[],
  settings: Record<string, string>,
  input: string | Buffer | null = '',
  cwd = ROOT,
) {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', DRAIN_SECONDS: '0', ...keyOf(settings), ...settings },
    stdio: 'pipe',
  });
  // Some end before they have read it.
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Where the key is of what is no file of SQLite's: not in the project, where its default would be. */
export function keyOf({ DATABASE_URL = '' }: Record<string, string>): Record<string, string> {
  if (DATABASE_URL.startsWith('sqlite:')) return {};
  if (keys === undefined) {
    keys = temporaryFolder();
    onTestFinished(() => {
      keys = undefined;
    });
  }
  return { SECRET_KEY_FILE: join(keys, hashOf(DATABASE_URL)) };
}

/** The folder of a test's keys: its Rosters that share a database share one. */
let keys: string | undefined;

/** Starts to serve, and waits for the one line that it says (npm says more before). */
export async function startRoster(settings: Record<string, string> = {}, start = run): Promise<Roster> {
  const url = settings.DATABASE_URL ?? (await readyUrl());
  const child = start(start === run ? [] : ['start'], { PORT: '0', DATABASE_URL: url, ...settings });
  const stderr = text(child.stderr);
  let out = '';
  // What it says besides is let through: a pipe that nobody reads any more would end it.
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    out += chunk;
    if (LISTENING.test(out)) break;
  }
  child.stdout.resume();
  const address = LISTENING.exec(out)?.[1];
  if (address === undefined) throw new Error(`Roster said: ${out}${await stderr}`);
  return { child, address, url, stderr };
}

/** Waits until a Roster whose address is another one says where it listens; what it goes on to say is in `said`. */
export async function listening(child: ChildProcess): Promise<{ address: string; said: () => string }> {
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (data) => {
      out += data;
    });
  const found = () => /(?:listening at |^Roster is at )(http:\/\/[^\s)"]+)/m.exec(out)?.[1];
  while (found() === undefined) {
    if (child.exitCode !== null) throw new Error(`Roster said: ${out}`);
    await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  }
  return { address: found() ?? '', said: () => out };
}

/** Waits until a Roster says where it is, and keeps what it has said and goes on to say. */
export async function listenTo(child: ChildProcess): Promise<{ address: string; said: () => string }> {
  let out = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  while (!LISTENING.test(out)) await once(child.stdout ?? child, 'data');
  return { address: LISTENING.exec(out)?.[1] ?? '', said: () => out };
}
