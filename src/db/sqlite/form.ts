/** What a file says that it is made of: https://sqlite.org/schematab.html */
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { type Deviation, deviationsOf, type Form } from '../form-parts.ts';
import type { Db } from '../schema.ts';

/** Of search indexes there are as many as users want. */
const SEARCH = /\busers_search_\d+/g;

export async function compareForm(db: Db, model: Db): Promise<Deviation[]> {
  return deviationsOf(await readForm(model), await readForm(db));
}

async function readForm(db: Db): Promise<Form> {
  const { rows } = await sql<{ part: string; made: string }>`
    select type || ' ' || name as part, tbl_name || ': ' || sql as made from sqlite_schema
    where name not like 'sqlite\\_%' escape '\\'`.execute(db);
  return new Map(rows.map(({ part, made }) => [normal(part), normal(made)]));
}

function normal(text: string): string {
  return text.replaceAll(SEARCH, 'users_search_0').replaceAll(/\s+/g, ' ');
}

/** Which no version of Roster's has: in a file that is nobody's yet they would act on whatever brings it up to date. */
export function findActors(path: string): string[] {
  const db = new Sqlite(path, { readonly: true });
  try {
    const actors = db.prepare(
      "select type || ' ' || name from sqlite_schema where type in ('trigger', 'view')",
    );
    return actors.pluck().all() as string[];
  } finally {
    db.close();
  }
}
