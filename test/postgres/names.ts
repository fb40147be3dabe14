/** How the databases and schemas of one run of the tests are called, so that they can be told from all others. */

/** So many schemas are ready in the template and in each copy of it: a copy costs little more than one of a single schema. */
export const READY_SCHEMAS = 8;

export function databasePrefix(run: number): string {
  return `roster_test_${run}_`;
}

/** The address of a schema, of those that are numbered from 1, in a database on a server. */
export function addressOf(server: string, database: string, schema: number): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return `${url}?options=-c%20search_path%3Droster_${schema}`;
}
