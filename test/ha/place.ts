/** The folder of a run, which stays where that ends badly, and where on this machine the addresses of the files in `src/operations/deploy/` are. */
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { FOLDERS } from '../folders.ts';
import { readDeployed } from '../operations/deploy/pages.ts';
import { unprivileged } from './programs.ts';

/** Those of PostgreSQL and etcd, by their numbers. */
export const MACHINES = [1, 2, 3] as const;
const MOST_ADDRESSES = 40;
/** Below the ports that a system gives to whoever connects: what is started again finds its own free. */
const [FIRST_PORT, LAST_PORT] = [12_000, 32_000];

/** As they stand in the files: of machines 1 to 3, and of what is beside Roster. */
const ADDRESS = /(10\.0\.0\.\d|127\.0\.0\.1):(\d+)/g;
/** Where a port stands by itself: of a check, and in what PgBouncer reads. */
const PORT_APART = /(10\.0\.0\.\d|127\.0\.0\.1)(:\d+ port | port=|\nlisten_port = )(\d+)/g;

export class Place {
  readonly folder: string;
  /** As whom, and where, all runs that is no Roster. */
  readonly user: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
  readonly #free: number[];
  readonly #ports = new Map<string, number>();

  private constructor(free: number[]) {
    this.#free = free;
    this.folder = mkdtempSync(join(FOLDERS, 'roster-ha-'));
    const env = { PATH: process.env.PATH, HOME: this.folder };
    this.user = { ...unprivileged(), cwd: this.folder, env };
    this.#own(this.folder);
    process.on('exit', (code) => this.#leave(code));
  }

  static async make(): Promise<Place> {
    const free = new Set<number>();
    while (free.size < MOST_ADDRESSES) {
      const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
      if (await isFree(port)) free.add(port);
    }
    return new Place([...free]);
  }

  /** Of an address in the files: one that is free here, and the same each time. */
  port(address: string): number {
    const port = this.#ports.get(address) ?? this.#free.pop();
    if (port === undefined) throw new Error('There are more addresses than were thought of.');
    this.#ports.set(address, port);
    return port;
  }

  http(address: string): string {
    return `http://127.0.0.1:${this.port(address)}`;
  }

  /** A file of `deploy/` as it is for this machine. @param change what is written otherwise in it */
  settle(name: string, change = (text: string) => text): string {
    return change(readDeployed(name))
      .replaceAll('10.0.0.0/24', '127.0.0.1/32')
      .replaceAll(PORT_APART, (_, host, between, port) => `${host}${between}${this.port(`${host}:${port}`)}`)
      .replaceAll(ADDRESS, (address) => `127.0.0.1:${this.port(address)}`)
      .replaceAll(/10\.0\.0\.\d/g, '127.0.0.1');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text, { mode: 0o600 });
    this.#own(this.path(name));
    return this.path(name);
  }

  makeFolder(name: string): string {
    mkdirSync(this.path(name), { mode: 0o700 });
    this.#own(this.path(name));
    return this.path(name);
  }

  #leave(code: number): void {
    if (code === 0) rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    else console.log(`What all of them have said is in ${this.folder}.`);
  }

  #own(path: string): void {
    const { uid, gid } = this.user;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer().once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  return promise;
}
