/** Behind PgBouncer, by transaction, with the line that `src/db/README.md` gives for it. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { freePort } from '../../free-port.ts';
import { pathOf } from '../../installed.ts';
import { ask } from '../../postgres/ask.ts';
import { isLacking } from '../../requirements.ts';
import { addUser, get, post, readyUrl, startApp, temporaryFolder } from '../../support.ts';

const PROGRAM = pathOf('pgbouncer') ?? 'pgbouncer';
const version = /PgBouncer (\d+\.\d+)/.exec(
  spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' }).stdout,
)?.[1];
const why = version ? '' : ' (skipped: there is no pgbouncer; it is in Debian’s package of that name)';
const README = readFileSync(join(import.meta.dirname, '..', '..', '..', 'src', 'db', 'README.md'), 'utf8');
const NOBODY = 65_534;

/** The address of a database by a pooler, which has two connections for all. */
async function startPooler(url: string): Promise<string> {
  const [, line] = new RegExp(`^\\| .*\\b${version}\\b.* \\| \`(.+)\` \\|$`, 'm').exec(README) ?? [];
  const [folder, port] = [temporaryFolder(), await freePort()];
  const { hostname, port: server, username, password } = new URL(url);
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${server} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'auth_type = any',
    'pool_mode = transaction',
    'unix_socket_dir =',
    'default_pool_size = 2',
    line,
  ];
  const path = join(folder, 'pgbouncer.ini');
  writeFileSync(path, settings.join('\n'));
  chmodSync(folder, 0o755);
  // As root it does not start.
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(PROGRAM, [path], { stdio: 'ignore', ...as });
  onTestFinished(() => void child.kill('SIGINT'));
  return Object.assign(new URL(url), { port: `${port}`, search: '' }).href;
}

test.skipIf(isLacking(version !== undefined))(
  `pages are read and changed, within their limits${why}`,
  async () => {
    const own = await readyUrl();
    const schema = /search_path%3D(\w+)/.exec(own)?.[1];
    // A pooler keeps the schema from the server, too.
    await ask(
      inject('postgres').url,
      `alter database "${new URL(own).pathname.slice(1)}" set search_path = ${schema}`,
    );
    const url = await startPooler(own);
    await expect.poll(() => ask(url, 'select').then(() => 'there', String)).toBe('there');
    const db = await openDatabase(url, { connections: 8 });
    onTestFinished(() => db.destroy());
    const app = await startApp({}, db);
    await addUser(db, { username: 'alice' });
    await expect(db.deleteFrom('users').execute()).rejects.toThrow('read-only transaction');
    await expect(sql`select pg_sleep(4)`.execute(db)).rejects.toThrow('statement timeout');
    const pages = Array.from({ length: 20 }, (_, at) => get(app, at % 2 ? '/users' : '/users?q=alice'));
    for (const { statusCode } of await Promise.all(pages)) expect(statusCode).toBe(200);
    expect((await post(app, '/users/1', { full_name: 'Alice' })).statusCode).toBe(303);
    expect((await get(app, '/users/1')).body).toContain('Alice');
  },
);
