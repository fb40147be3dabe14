/** What hash partitions by number would cost and bring on PostgreSQL: the same statements, asked of the table and of a copy in parts. */
import pg from 'pg';
import { NAMESAKES } from '../namesakes.ts';

/** The least, in milliseconds. */
type Compared = { name: string; whole: number; inParts: number };

const PARTS = 8;
const TIMES = 25;
const [, { last: NAME }] = NAMESAKES;

const MAKING = `
  create table parts (like users, primary key (id)) partition by hash (id);
  ${Array.from({ length: PARTS }, (_, part) => `create table parts_${part} partition of parts for values with (modulus ${PARTS}, remainder ${part});`).join('\n')}
  insert into parts select * from users;
  create index on parts (name_sort, id);
  create index on parts (username_key) include (id);
  create index on parts using gin (search_text gin_trgm_ops)`;

/** With the name of a table. */
const ASKED: Record<string, (table: string) => string> = {
  'one user': (table) => `select * from ${table} where id = (select max(id) / 2 from users)`,
  'who has a username': (table) => `select id from ${table} where username_key = 'bench'`,
  'first page by name': (table) => `select * from ${table} order by name_sort, id limit 10`,
  'next by name': (table) =>
    `select * from ${table} where name_sort > 'martin' order by name_sort, id limit 11`,
  'a page in the middle by name': (table) =>
    `select id from ${table} order by name_sort, id limit 10 offset (select max(id) / 2 from users)`,
  'a name that 500 have': (table) => search(table, NAME.toLowerCase()),
  'a common name': (table) => search(table, 'smith'),
};

export async function comparePartitions(url: string): Promise<Compared[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of MAKING.split(';')) await client.query(statement);
    await client.query('vacuum (analyze) users, parts');
    const compared: Compared[] = [];
    for (const [name, asking] of Object.entries(ASKED))
      compared.push({ name, ...(await compare(client, asking)) });
    return compared;
  } finally {
    await client.query('drop table if exists parts');
    await client.end();
  }
}

/** In turns, so that a busy moment of the machine meets both. */
async function compare(client: pg.Client, asking: (table: string) => string) {
  const times: Record<'users' | 'parts', number[]> = { users: [], parts: [] };
  for (let turn = 0; turn <= TIMES; turn++) {
    for (const table of ['users', 'parts'] as const) {
      const begun = performance.now();
      await client.query(asking(table));
      if (turn > 0) times[table].push(performance.now() - begun);
    }
  }
  return { whole: Math.min(...times.users), inParts: Math.min(...times.parts) };
}

/** As Roster asks it: up to 10,001 in the order of their numbers. */
function search(table: string, word: string): string {
  return `select id from ${table} where search_text like '%${word}%' order by id limit 10001`;
}
