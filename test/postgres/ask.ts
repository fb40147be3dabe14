/** Asks a PostgreSQL for something, one statement after the other, on a connection of its own. */
import pg from 'pg';

export async function ask(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
