/** A primary with two replicas, and Rosters that read there: each on a database of its own, with proxies that hear what is asked. */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { replicasOf } from '../../../src/db/engine.ts';
import type { Db } from '../../../src/db/schema.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { pageOf } from '../../page.ts';
import { addPerson, signedIn } from '../../people.ts';
import { ask } from '../../postgres/ask.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { type Postgres, startPostgres } from '../../postgres/start.ts';
import { get, post, startApp } from '../../support.ts';

export type Servers = Postgres & { standbys: readonly string[] };

export async function startServers(): Promise<Servers> {
  const postgres = await startPostgres(['fsync=off']);
  const standbys = [await postgres.standby(), await postgres.standby()];
  await ask(postgres.url, `create database ${READY}`);
  await (await openDatabase(inDatabase(postgres.url, READY))).destroy();
  return { ...postgres, standbys };
}

/** As Roster makes one: each test begins with a copy. */
const READY = 'ready';

function inDatabase(server: string, name: string): string {
  return Object.assign(new URL(server), { pathname: `/${name}` }).href;
}

let databases = 0;

type Between = Awaited<ReturnType<typeof startProxy>>;

type Setup = {
  /** The primary's own address. */
  url: string;
  primary: Between;
  standbys: readonly Between[];
  /** Opens it once more, as another Roster does. */
  open(longestLag?: number, urls?: readonly string[]): Promise<Db>;
  /** The same for one that reaches the primary in another way. */
  openBy(url: string, longestLag?: number, urls?: readonly string[]): Promise<Db>;
};

/** A new database; its addresses lead through proxies. */
export async function setUp({ url, standbys }: Servers): Promise<Setup> {
  const name = `replicated_${++databases}`;
  await ask(url, `create database ${name} template ${READY}`);
  const primary = await startProxy(inDatabase(url, name));
  const proxies = await Promise.all(standbys.map((standby) => startProxy(inDatabase(standby, name))));
  const openBy: Setup['openBy'] = async (
    by,
    longestLag = 60_000,
    urls = proxies.map((proxy) => proxy.url),
  ) => {
    const db = await openDatabase(by, { connections: 8, following: { urls, longestLag } });
    onTestFinished(() => db.destroy());
    return db;
  };
  const open: Setup['open'] = (longestLag, urls) => openBy(primary.url, longestLag, urls);
  return { url: inDatabase(url, name), primary, standbys: proxies, open, openBy };
}

/** A Roster with an administrator, who is signed in. */
export async function startReading(servers: Servers, longestLag?: number, clock?: Clock) {
  const setup = await setUp(servers);
  const db = await setup.open(longestLag);
  const app = await startApp({}, db, clock);
  const ann = await addPerson(db, 'ann', 'admin');
  const person = async (name: string) =>
    new Browser(await signedIn(app, await addPerson(db, name, 'editor')));
  return { ...setup, app, db, ann: new Browser(await signedIn(app, ann)), person };
}

/** Nothing from the primary is to be seen there until `resume`, or the end of the test. */
export async function pause(standbys: readonly string[]): Promise<void> {
  onTestFinished(() => resume(standbys));
  for (const standby of standbys) await ask(standby, 'select pg_wal_replay_pause()');
  for (const standby of standbys)
    await expectThere(standby, `select where pg_get_wal_replay_pause_state() = 'paused'`);
}

/** Nothing of the primary comes there any more, until what is returned is called, or the end of the test. */
export async function cutFromPrimary(standbys: readonly string[]): Promise<() => Promise<void>> {
  const set = (value: string) => async () => {
    for (const standby of standbys)
      await ask(standby, `alter system set primary_conninfo = '${value}'`, 'select pg_reload_conf()');
  };
  const { rows } = await queryAt(standbys[0] ?? '', `select current_setting('primary_conninfo') as value`);
  const reconnect = set(rows[0]?.value);
  onTestFinished(reconnect);
  await set('')();
  for (const standby of standbys)
    await expectThere(standby, 'select where not exists (select from pg_stat_wal_receiver)');
  return reconnect;
}

/** Waits until a query finds something. */
export async function expectThere(url: string, query: string): Promise<void> {
  await expect.poll(async () => (await queryAt(url, query)).rowCount).toBeGreaterThan(0);
}

export async function queryAt(url: string, query: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  return client.query(query).finally(() => client.end());
}

export async function resume(standbys: readonly string[]): Promise<void> {
  for (const standby of standbys) await ask(standby, 'select pg_wal_replay_resume()');
}

/** Waits until so many are in use, and have come as far as the primary is now. */
export async function expectInUse(db: Db, count: number): Promise<void> {
  const replicas = replicasOf(db);
  await expect
    .poll(() => replicas?.states().filter(({ problem }) => problem === undefined).length)
    .toBe(count);
  if (count === 0) return;
  const now = (await replicas?.readPosition()) ?? 0;
  const haveCome = () => Array.from({ length: count }, (_, key) => replicas?.choose(now, key));
  await expect.poll(haveCome).not.toContain(undefined);
}

/** On which server something is read. */
export async function portOf(db: Db): Promise<string> {
  const { rows } = await sql<{ port: string }>`select current_setting('port') as port`.execute(db);
  return rows[0]?.port ?? '';
}

/** Someone's browser, which keeps its cookies, whichever Roster answers. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  constructor(headers: { cookie: string }) {
    this.#keep(headers.cookie);
  }

  async get(app: FastifyInstance, url: string): Promise<LightMyRequestResponse> {
    return this.#noted(await get(app, url, this.#headers));
  }

  /** Whom the list shows, by their numbers. */
  async users(app: FastifyInstance): Promise<number[]> {
    return pageOf(await this.get(app, '/users')).users.toSorted();
  }

  async post(
    app: FastifyInstance,
    url: string,
    fields: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> {
    return this.#noted(await post(app, url, fields, this.#headers));
  }

  get #headers() {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return { cookie, 'sec-fetch-site': 'same-origin' };
  }

  #keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    this.#cookies.set(name, value);
  }

  #noted(answer: LightMyRequestResponse): LightMyRequestResponse {
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(cookie);
    return answer;
  }
}
