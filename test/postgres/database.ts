/** A database on the tests' PostgreSQL for each file of tests, and in it a schema for each Roster. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { databasePrefix } from './names.ts';
import './setup.ts';

let database: Promise<{ url: URL; client: pg.Client }> | undefined;
let schemas = 0;

/** The address of an empty schema; all are gone when the tests of the file are over. */
export async function temporarySchema(): Promise<string> {
  database ??= makeDatabase();
  const { url, client } = await database;
  const schema = `roster_${++schemas}`;
  await client.query(`create schema ${schema}`);
  return `${url}?options=-c%20search_path%3D${schema}`;
}

async function makeDatabase() {
  const { url: server, run } = inject('postgres');
  const name = databasePrefix(run) + randomUUID().replaceAll('-', '');
  await ask(server, `create database ${name} encoding 'UTF8' template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const client = new pg.Client(url.href);
  await client.connect();
  return { url, client };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}

afterAll(async () => {
  if (database === undefined) return;
  const { url, client } = await database;
  await client.end();
  await ask(inject('postgres').url, `drop database "${url.pathname.slice(1)}" with (force)`);
});
