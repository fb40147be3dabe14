/** The servers, each a process of its own: how to start one, how big it is, how to end it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { freePort } from '../free-port.ts';
import { START } from '../npm-start.ts';
import { ask } from './answers.ts';
import { CONNECTIONS } from './connections.ts';
import { keepOn, runNode, stop } from './processes.ts';
import { processorTime } from './processor.ts';
import type { Workspace } from './workspace.ts';

/** `bare` answers what Roster answered, from memory; `hand-written` is a Roster without a framework, `Express` what most would write. */
export const SERVERS = ['bare', 'hand-written', 'Express', 'Roster'] as const;
export type ServerName = (typeof SERVERS)[number];
export type PerServer<T> = Record<ServerName, T>;

export function perServer<T>(make: (name: ServerName) => T): PerServer<T> {
  return Object.fromEntries(SERVERS.map((name) => [name, make(name)])) as PerServer<T>;
}

export type Server = {
  origin: string;
  /** Milliseconds from the start of the process to the end of its first page. */
  firstPage: number;
  /** Megabytes in memory now; NaN where the system does not tell. */
  resident(): number;
  /** Milliseconds of processors that it has used so far; the same. */
  cpuTime(): number;
  /** @returns whether the system keeps it there from now on. */
  keepOn(cores: string): boolean;
  stop(): Promise<void>;
};

/** `anonymous`: megabytes in memory now that are its own, and no pages of files; NaN where the system does not tell. */
export type Alone = Pick<Server, 'origin' | 'stop'> & { pid: number; anonymous(): number };

/** How long a server may take until it listens, in milliseconds. */
const PATIENCE = 30_000;

export async function start(name: ServerName, workspace: Workspace): Promise<Server> {
  const port = await freePort();
  const started = performance.now();
  const child = run(name, workspace, port);
  const origin = await originOf(child);
  const { status } = await ask(origin, { method: 'GET', path: '/users' });
  const firstPage = performance.now() - started;
  if (status !== 200) throw new Error(`The first page of the ${name} server is ${status}.`);
  return {
    origin,
    firstPage,
    resident: () => megabytesOf(child.pid, 'VmRSS'),
    cpuTime: () => processorTime([child.pid ?? 0]) || Number.NaN,
    keepOn: (cores) => keepOn(cores, child.pid),
    stop: () => stop(child),
  };
}

/** Alone. */
export async function startRosterOn(database: string, keyFile: string): Promise<Alone> {
  const child = runRoster(database, keyFile, await freePort());
  return {
    origin: await originOf(child),
    pid: child.pid ?? 0,
    anonymous: () => megabytesOf(child.pid, 'RssAnon'),
    stop: () => stop(child),
  };
}

function run(name: ServerName, { databases, answers, keyFile }: Workspace, port: number) {
  if (name === 'bare') return runNode(['test/bench/bare-server.ts', answers]);
  if (name === 'hand-written') return runNode(['test/bench/hand-written-server.ts', databases[name]]);
  if (name === 'Express')
    return runNode(['test/bench/express/server.ts', databases[name]], { NODE_ENV: 'production' });
  return runRoster(databases[name], keyFile, port);
}

function runRoster(database: string, keyFile: string, port: number) {
  const settings = {
    HOST: '127.0.0.1',
    PORT: String(port),
    // A proxy that is trusted without one is a problem that the list tells administrators of.
    ORIGIN: `http://127.0.0.1:${port}`,
    // Silent: a line for each who signs in would go to the pipe that nobody reads.
    LOG_LEVEL: 'silent',
    // Those who sign in come from addresses of their own.
    TRUST_PROXY: '127.0.0.1',
    DATABASE_URL: database,
    SECRET_KEY_FILE: keyFile,
    DATABASE_CONNECTIONS: String(CONNECTIONS),
    DRAIN_SECONDS: '0',
  };
  return runNode(START.args, { ...START.env, ...settings });
}

/** The address that a server prints once it listens: "Roster is at http://127.0.0.1:3000". */
async function originOf(child: ChildProcess & { stdout: Readable }): Promise<string> {
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  try {
    for await (const line of createInterface(child.stdout)) {
      const origin = / is at (http:\S+)/.exec(line)?.[1];
      if (origin !== undefined) return origin;
    }
  } finally {
    clearTimeout(late);
    // Whatever it prints from now on would fill the pipe, and then stop it.
    child.stdout.resume();
  }
  throw new Error(`${child.spawnargs.join(' ')} ended before it listened.`);
}

// Linux only: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, in KiB.
function megabytesOf(pid: number | undefined, what: 'VmRSS' | 'RssAnon'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = new RegExp(`^${what}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
    return (Number(kibibytes) * 1024) / 1_000_000;
  } catch {
    return Number.NaN;
  }
}
