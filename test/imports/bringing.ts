/** Bringing a file of users to an app, and looking at what becomes of it. */
import { writeFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import type { User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { beginImport, confirmImport } from '../../src/imports/commands.ts';
import { filesOf, findFolder, makeFolder, newName } from '../../src/imports/folder.ts';
import { findImport, type Import } from '../../src/imports/queries.ts';
import { runImports } from '../../src/imports/run.ts';
import { readStage, type StageReader } from '../../src/imports/stage-reader.ts';
import type { Choices, Totals } from '../../src/imports/types.ts';
import { Mutex } from '../../src/lib/mutex.ts';

/** Of somebody who has signed in. */
export function actorFor(user: User): Actor {
  return { ...commandLine, via: 'form', user, role: user.role };
}

/** Nothing is read yet. @returns its number */
export async function bring(
  app: FastifyInstance,
  text: string,
  actor: Actor = commandLine,
  choices: Choices = {},
): Promise<number> {
  const folder = makeFolder(app.config.importFolder);
  const file = newName();
  writeFileSync(filesOf(folder, file).upload, text, { mode: 0o600 });
  const upload = { file, name: 'users.csv', size: text.length };
  return transact(app.db, (trx) => beginImport(trx, actor, folder, upload, app.clock(), choices));
}

export async function importOf(app: FastifyInstance, id: number): Promise<Import> {
  const found = await findImport(app.db, id);
  if (found === undefined) throw new Error(`There is no import ${id}.`);
  return found;
}

export async function totalsOf(app: FastifyInstance, id: number): Promise<Totals> {
  return JSON.parse((await importOf(app, id)).totals ?? '{}');
}

/** @returns what it has come to, as far as it matters */
export async function countsOf(app: FastifyInstance, id: number) {
  const { created, changed, same, refused } = await totalsOf(app, id);
  return { created, changed, same, refused };
}

/** What pages read of its rows. */
export async function look<T>(
  app: FastifyInstance,
  id: number,
  read: (stage: StageReader) => T,
): Promise<T | undefined> {
  return readStage(findFolder(app.config.importFolder), await importOf(app, id), read);
}

/** Brought, and looked at. */
export async function check(
  app: FastifyInstance,
  text: string,
  actor: Actor = commandLine,
  choices: Choices = {},
): Promise<number> {
  const id = await bring(app, text, actor, choices);
  await app.runJobs();
  return id;
}

/** Confirmed as it is shown, and done. */
export async function apply(app: FastifyInstance, id: number, actor: Actor = commandLine): Promise<Import> {
  const { judged } = await importOf(app, id);
  await transact(app.db, (trx) => confirmImport(trx, actor, id, judged, app.clock()));
  await app.runJobs();
  return importOf(app, id);
}

/** Lines with commas between the cells. */
export function csv(...rows: readonly (readonly (string | number)[])[]): string {
  return `${rows.map((row) => row.join(',')).join('\n')}\n`;
}

/** Confirmed as it is shown, so that it is begun, and nothing of it done yet. */
export async function begin(app: FastifyInstance, id: number, actor: Actor = commandLine): Promise<Import> {
  const { judged } = await importOf(app, id);
  await transact(app.db, (trx) => confirmImport(trx, actor, id, judged, app.clock()));
  const { db, clock, config } = app;
  const warn = (_id: number, error: unknown) => {
    throw error;
  };
  await runImports(
    { db, alone: new Mutex(), clock, warn, folder: makeFolder(config.importFolder) },
    () => false,
  );
  return importOf(app, id);
}
