import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { startPostgres } from '../../postgres/start.ts';
import { temporaryDatabase } from '../../support.ts';

const CERTIFICATE = join(import.meta.dirname, '..', '..', 'postgres', 'tls', 'server.crt');

let url: string;
beforeAll(async () => {
  const postgres = await startPostgres(['ssl=on']);
  url = postgres.url;
  return () => postgres.stop();
});

test('with sslmode=verify-full and the certificate of who signed it, all goes over TLS', async () => {
  const db = await temporaryDatabase(
    `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(CERTIFICATE)}`,
  );
  const query = sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  expect((await query.execute(db)).rows).toEqual([{ ssl: true }]);
});

test('a certificate that nobody known has signed is refused in one sentence', async () => {
  await expect(openDatabase(`${url}?sslmode=verify-full`)).rejects.toThrow(
    /^postgres:.* cannot be opened: self-signed certificate.*$/,
  );
});
