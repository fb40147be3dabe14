/** Databases on the tests' PostgreSQL for each file of tests, and in them a schema for each Roster. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { ask } from './ask.ts';
import { addressOf, databasePrefix, READY_SCHEMAS } from './names.ts';
import './setup.ts';

const names: string[] = [];
let empty: Promise<string> | undefined;
let schemas = 0;
const copies: Promise<string>[] = [];
let taken = 0;
let kept: Promise<string> | undefined;
let keptTaken = 0;

/** The address of an empty schema; all are gone when the tests of the file are over. */
export async function temporarySchema(): Promise<string> {
  empty ??= makeDatabase(`encoding 'UTF8' template template0`);
  const schema = ++schemas;
  const url = addressOf(inject('postgres').url, await empty, schema);
  await ask(url, `create schema roster_${schema}`);
  return url;
}

/** The address of a schema as Roster has made it, in a copy of the template; nobody else has it. */
export async function readySchema(): Promise<string> {
  const { url, template } = inject('postgres');
  const [copy, schema] = [Math.floor(taken / READY_SCHEMAS), 1 + (taken % READY_SCHEMAS)];
  taken++;
  copies[copy] ??= makeDatabase(`template ${template} strategy file_copy`);
  return addressOf(url, `${await copies[copy]}`, schema);
}

/** The same, which stays there for the next files of this thread. */
export async function keptSchema(): Promise<string> {
  const { url, template } = inject('postgres');
  if (keptTaken % READY_SCHEMAS === 0) kept = createDatabase(`template ${template} strategy file_copy`);
  const schema = 1 + (keptTaken++ % READY_SCHEMAS);
  return addressOf(url, `${await kept}`, schema);
}

async function makeDatabase(how: string): Promise<string> {
  const name = await createDatabase(how);
  names.push(name);
  return name;
}

async function createDatabase(how: string): Promise<string> {
  const { url, run } = inject('postgres');
  const name = databasePrefix(run) + randomUUID().replaceAll('-', '');
  await ask(url, `create database ${name} ${how}`);
  return name;
}

/** Once nobody uses them any more. */
export async function dropDatabases(): Promise<void> {
  if (names.length === 0) return;
  const drops = names.splice(0).map((name) => `drop database ${name} with (force)`);
  await ask(inject('postgres').url, ...drops);
  [empty, schemas, taken] = [undefined, 0, 0];
  copies.length = 0;
}
