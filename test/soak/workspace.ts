/** The database of a run, with users and forty people who can sign in; gone afterwards. */
import { once } from 'node:events';
import { type Dirent, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pg from 'pg';
import { commandLine } from '../../src/auth/actor.ts';
import { setPassword } from '../../src/auth/credentials.ts';
import { hashPassword } from '../../src/auth/password-hashing.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { createUser } from '../../src/users/commands.ts';
import { runNode } from '../bench/processes.ts';
import type { Engine } from '../bench/workspace.ts';
import { startPostgres } from '../postgres/start.ts';
import { megabytesOf } from './measure.ts';
import { PASSWORD } from './person.ts';

export type Place = {
  settings: Record<string, string>;
  /** A folder for copies that are taken meanwhile. */
  backups: string;
  /** In megabytes: of the database, and of its write-ahead log. */
  sizes(): Promise<{ file: number; log: number }>;
  /** What lies in any of its folders that a Roster which was stopped does not keep. */
  leftOver(): string[];
  close(): Promise<void>;
};

export type Someone = { id: number; username: string; role: Role };

const ROLES: readonly [Role, number][] = [
  ['viewer', 16],
  ['editor', 20],
  ['admin', 4],
];

/** Of an import only the few rows that it keeps for a day. */
const KEPT = /^(roster\.db|secret\.key|(.+\.)?erased\.jsonl|identity|roster-[\dTZ-]+\.db|.+\.stage)$/;
/** In megabytes: a stage with none of its rows. */
const MOST_KEPT = 0.1;

export async function makePlace(engine: Engine, more: Record<string, string> = {}): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'roster-soak-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.on('exit', remove);
  const imports = join(folder, 'imports');
  const backups = join(folder, 'backups');
  const temporary = join(folder, 'tmp');
  for (const made of [imports, backups, temporary]) mkdirSync(made);
  const { url, sizes, end } = engine === 'sqlite' ? onFile(join(folder, 'roster.db')) : await onServer();
  const settings = {
    DATABASE_URL: url,
    SECRET_KEY_FILE: join(folder, 'secret.key'),
    IMPORT_FOLDER: imports,
    TMPDIR: temporary,
    // Each of those who work has an address of their own.
    TRUST_PROXY: '127.0.0.1',
    ORIGIN: '',
    LOG_LEVEL: 'warn',
    DRAIN_SECONDS: '0',
    ...more,
  };
  return {
    settings,
    backups,
    sizes,
    leftOver: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(isLeftOver)
        .map(({ parentPath, name }) => relative(folder, join(parentPath, name))),
    async close() {
      await end();
      remove();
    },
  };
}

function isLeftOver(entry: Dirent): boolean {
  const { name, parentPath } = entry;
  if (entry.isDirectory()) return name.includes('.new');
  return !KEPT.test(name) || (name.endsWith('.stage') && megabytesOf(join(parentPath, name)) > MOST_KEPT);
}

function onFile(path: string) {
  const sizes = async () => ({ file: megabytesOf(path), log: megabytesOf(`${path}-wal`) });
  return { url: `sqlite:${path}`, sizes, end: async () => {} };
}

async function onServer() {
  const { url, stop } = await startPostgres([]);
  const client = new pg.Client(url);
  await client.connect();
  const query = `select pg_database_size(current_database()) / 1e6 as file, (select sum(size) from pg_ls_waldir()) / 1e6 as log`;
  const sizes = async () => {
    const [row] = (await client.query(query)).rows;
    return { file: Number(row.file), log: Number(row.log) };
  };
  const end = async () => {
    await client.end();
    await stop();
  };
  return { url, sizes, end };
}

/** @returns who works, the last of whom is an administrator who does the chores */
export async function addPeople({ settings }: Pick<Place, 'settings'>, users: number): Promise<Someone[]> {
  await runCommand(['seed', `${users}`, '--new-database'], settings);
  const hash = await hashPassword(PASSWORD);
  const roles = [...ROLES.flatMap(([role, count]) => Array<Role>(count).fill(role)), 'admin' as const];
  const db = await openDatabase(String(settings.DATABASE_URL));
  try {
    return await transact(db, async (trx) => {
      const people: Someone[] = [];
      for (const [index, role] of roles.entries()) {
        const username = `worker${index + 100}`;
        const made = { username, email: `${username}@example.org`, full_name: null, is_active: true, role };
        const { user } = await createUser(trx, commandLine, made, Date.now());
        await setPassword(trx, user.id, hash, Date.now());
        people.push(user);
      }
      return people;
    });
  } finally {
    await db.destroy();
  }
}

/** @returns what it has said. @throws Error with that, unless it ends well */
export async function runCommand(args: readonly string[], settings: Record<string, string>): Promise<string> {
  const child = runNode(['src/main.js', ...args], settings);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args[0]} has ended with ${code}: ${said}`);
  return said;
}
