/** All of it: etcd, PostgreSQL under Patroni, what leads there, two Rosters, and what leads to those. */
import pg from 'pg';
import { commandLine } from '../../src/auth/actor.ts';
import { setPassword } from '../../src/auth/credentials.ts';
import { hashPassword } from '../../src/auth/password-hashing.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { createUser } from '../../src/users/commands.ts';
import { START } from '../npm-start.ts';
import { Etcd } from './etcd.ts';
import { Haproxy, makePooler, PEOPLE, POOLER, ROSTERS } from './load-balancers.ts';
import { Patroni } from './patroni.ts';
import { MACHINES, Place } from './place.ts';
import { Service } from './service.ts';
import { until } from './until.ts';

export const ADMINISTRATOR = { username: 'ann', password: 'twenty times switched over' };

export type World = {
  etcd: Etcd;
  patroni: Patroni;
  haproxy: Haproxy;
  pooler: Service;
  rosters: readonly Service[];
  /** Where people reach one Roster or the other. */
  origin: string;
  settings: Record<string, string>;
  untilWhole(): Promise<void>;
  stop(): Promise<void>;
};

export async function startWorld(): Promise<World> {
  const place = await Place.make();
  const [etcd, patroni, haproxy] = [new Etcd(place), new Patroni(place), new Haproxy(place)];
  const pooler = makePooler(place);
  await etcd.start();
  await patroni.start();
  await makeDatabase(await patroni.primaryUrl());
  haproxy.start();
  pooler.start();
  const settings = settingsIn(place);
  await until('a database by way of HAProxy and PgBouncer', async () =>
    addAdministrator(settings.DATABASE_URL),
  );
  const rosters = ROSTERS.map((address) => makeRoster(place, address, settings));
  for (const roster of rosters) roster.start();
  const untilWhole = async () => {
    await patroni.untilWhole();
    for (const address of ROSTERS)
      await until('a Roster that is ready', async () => (await fetch(`${place.http(address)}/readyz`)).ok);
  };
  await untilWhole();
  return {
    ...{ etcd, patroni, haproxy, pooler, rosters, settings, untilWhole },
    origin: place.http(PEOPLE),
    async stop() {
      for (const service of [...rosters, pooler, haproxy]) await service.kill();
      await patroni.stop();
      await etcd.stop();
    },
  };
}

function settingsIn(place: Place) {
  const urlOf = (database: string) =>
    `postgres://roster:CHANGE-4@127.0.0.1:${place.port(POOLER)}/${database}`;
  return {
    DATABASE_URL: urlOf('roster'),
    DATABASE_READ_URL: MACHINES.map((machine) => urlOf(`n${machine}`)).join(),
    SECRET_KEY_FILE: place.path('secret.key'),
    IMPORT_FOLDER: place.makeFolder('imports'),
    HOST: '127.0.0.1',
    TRUST_PROXY: '127.0.0.1',
    ORIGIN: '',
    LOG_FORMAT: 'json',
    DRAIN_SECONDS: '0',
  };
}

async function makeDatabase(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`create role roster login password 'CHANGE-4'`);
  await client.query(`create database roster owner roster encoding 'UTF8' template template0`);
  await client.end();
}

/** @returns true once it is done */
async function addAdministrator(url: string): Promise<boolean> {
  const { username, password } = ADMINISTRATOR;
  const ann = {
    username,
    email: 'ann@example.org',
    full_name: null,
    is_active: true,
    role: 'admin' as const,
  };
  const hash = await hashPassword(password);
  const db = await openDatabase(url);
  try {
    return await transact(db, async (trx) => {
      const { user } = await createUser(trx, commandLine, ann, Date.now());
      await setPassword(trx, user.id, hash, Date.now());
      return true;
    });
  } finally {
    await db.destroy();
  }
}

function makeRoster(place: Place, address: string, settings: Record<string, string>): Service {
  const port = String(place.port(address));
  return new Service({
    program: process.execPath,
    args: START.args,
    env: { PATH: process.env.PATH, PORT: port, ...START.env, ...settings },
    log: place.path(`roster-${port}.log`),
  });
}
