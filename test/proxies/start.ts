/** Starts a proxy that is on this machine, with its snippet, and a Roster behind it. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freePort } from '../free-port.ts';
import { pathOf } from '../installed.ts';
import { listening, run } from '../roster.ts';
import { temporaryFolder } from '../support.ts';
import { type Place, type Program, ROSTER } from './programs.ts';

export const HOST = 'users.example.org';
const START_TIMEOUT = 10_000;

export function isInstalled({ program }: Program): boolean {
  return pathOf(program) !== undefined;
}

export type Running = { http: number; https: number; folder: string; said: () => string };

/** @param change what is written otherwise in the snippet */
export async function startProxy(
  program: Program,
  roster: string,
  change: (snippet: string) => string = (snippet) => snippet,
): Promise<Running> {
  const folder = temporaryFolder();
  // Some give their workers to another user.
  chmodSync(folder, 0o755);
  const place: Place = {
    folder,
    ...makeCertificate(folder),
    // Last, so that nobody else takes them meanwhile.
    http: await freePort(),
    https: await freePort(),
  };
  const settled = program.settle(change(program.snippet), place).replaceAll(ROSTER, new URL(roster).host);
  for (const [name, text] of Object.entries(program.files(settled, place)))
    writeFileSync(join(folder, name), text);
  const child = spawn(pathOf(program.program) ?? '', program.args(folder), {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => stop(child));
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
  for (const port of [place.http, place.https]) await answering(port, child, () => out);
  return { folder, http: place.http, https: place.https, said: () => out };
}

/** By the word that each proxy takes with its workers. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(timer);
}

async function answering(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (const end = performance.now() + START_TIMEOUT; performance.now() < end; await sleep(20)) {
    if (child.exitCode !== null) break;
    const socket = connect(port, '127.0.0.1');
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
  }
  throw new Error(`The proxy does not listen. It said: ${said()}`);
}

function makeCertificate(folder: string): Pick<Place, 'cert' | 'key' | 'pem'> {
  const [cert = '', key = '', pem = ''] = ['crt', 'key', 'pem'].map((end) => join(folder, `${HOST}.${end}`));
  const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-out', cert, '-keyout', key], {
    stdio: 'ignore',
  });
  writeFileSync(pem, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  return { cert, key, pem };
}

export const BEHIND = { ORIGIN: `https://${HOST}`, TRUST_PROXY: '127.0.0.1' };

/** A Roster that is reached by a proxy, and the address at which it listens for that. */
export async function startBehind(url: string, settings: Record<string, string> = {}) {
  const child = run([], { PORT: '0', DATABASE_URL: url, ...BEHIND, ...settings });
  return { child, ...(await listening(child)) };
}
