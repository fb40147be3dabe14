/** What a file says that it is made of: https://sqlite.org/schematab.html */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';
import { driftOf, type SchemaDrift, type SchemaParts } from '../schema-parts.ts';

/** Of search indexes there are as many as users want. */
const SEARCH = /\busers_search_\d+/g;

export async function compareSchema(db: Db, model: Db): Promise<SchemaDrift[]> {
  return driftOf(await readParts(model), await readParts(db));
}

async function readParts(db: Db): Promise<SchemaParts> {
  const { rows } = await sql<{ part: string; made: string }>`
    select type || ' ' || name as part, tbl_name || ': ' || sql as made from sqlite_schema
    where name not like 'sqlite\\_%' escape '\\'`.execute(db);
  return new Map(rows.map(({ part, made }) => [normal(part), normal(made)]));
}

function normal(text: string): string {
  return text.replaceAll(SEARCH, 'users_search_0').replaceAll(/\s+/g, ' ');
}
