/** The address of a database: what may be written as one, and which file or server that is. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { whereLies } from './lib/make-file.ts';

const PROJECT_DATA = join(import.meta.dirname, '..', 'data');

export const DEFAULT_DATABASE_URL = `sqlite:${join(PROJECT_DATA, 'roster.db')}`;

const AS_IT_IS = 'without // or quotes before it, and without ~, variables, ? and percent-encoding';

/** The folder that Roster is started in was the default once: where it has a database, too, either may be meant. */
export function defaultProblem(): string | undefined {
  const [own, here] = [join(PROJECT_DATA, 'roster.db'), resolve('data', 'roster.db')];
  const [ownFile, hereFile] = [own, here].map((path) => statSync(path, { throwIfNoEntry: false }));
  if (!hereFile || (ownFile?.dev === hereFile.dev && ownFile.ino === hereFile.ino)) return undefined;
  return `There is a database at ${here}, but without DATABASE_URL Roster takes ${own}: set DATABASE_URL to the one that is meant, sqlite:${here} or sqlite:${own}.`;
}

/** What is there instead is not repeated: it may hold a password. */
export const DATABASE_URL_RULE = `sqlite: and the path of a file as it is, such as sqlite:/srv/roster/roster.db, or sqlite:data/roster.db below the folder that Roster is started in, ${AS_IT_IS}; or postgres://user:password@host:5432/database with one host (the primary, or what leads there) and special characters percent-encoded`;

export const PATH_RULE = `the path of a file as it is, ${AS_IT_IS}`;

export const FOLDER_RULE = PATH_RULE.replace('a file', 'a folder');

/** What elsewhere means something, and here would be a part of the name of a file that nobody looks for. */
const NO_PATH = [
  // `sqlite://data/r.db`, `sqlite:///r.db`: for some the path begins after two slashes, for others after three.
  /^\/\//,
  // `:memory:`, `file:`, and where there are none, drives and their separators.
  process.platform === 'win32' ? /^([a-z][a-z\d+.-]+)?:/i : /^([a-z][a-z\d+.-]*)?:|\\/i,
  /^["']|["']$/,
  // For a shell: a home, variables.
  /^~|\$[\w{(]|%\w+%/,
  // For an address: parameters, a space.
  /\?|%[\da-f]{2}/i,
  // A folder; for SQLite the end.
  /[/\\]$|\0/,
];

export function parsePath(value: string): string | undefined {
  // Without space around it, which SQLite would leave out by itself and so open another file.
  const path = value.trim();
  return path === '' || NO_PATH.some((pattern) => pattern.test(path)) ? undefined : resolve(path);
}

export function parseFolder(value: string): string | undefined {
  return parsePath(value.trim().replace(/(?<=[^/\\])[/\\]+$/, ''));
}

/** @returns `sqlite:` and a whole path, or `postgres://…` as it is; undefined for what is neither. */
export function parseDatabaseUrl(value: string): string | undefined {
  if (/^postgres(ql)?:\/\//.test(value)) {
    const url = URL.parse(value);
    if (url === null || hasSeveralHosts(url)) return undefined;
    // Behind the host these would be parts of a password that is not encoded.
    return /[@#]/.test(url.pathname + url.search + url.hash) ? undefined : value;
  }
  const path = parsePath(filePathOf(value) ?? '');
  return path && `sqlite:${path}`;
}

function hasSeveralHosts({ hostname, searchParams }: URL): boolean {
  return [hostname, ...searchParams.getAll('host')].some((host) => /,|%2c/i.test(host));
}

export function filePathOf(databaseUrl: string): string | undefined {
  return /^sqlite:(.*)$/s.exec(databaseUrl)?.[1];
}

export function keyFileOf(databaseUrl: string): string {
  const path = filePathOf(databaseUrl);
  return join(path === undefined ? PROJECT_DATA : dirname(path), 'secret.key');
}

/** What lies beside a database: of SQLite's beside its file, of PostgreSQL's beside the key; a clone has its own. */
export function pathBeside(databaseUrl: string, secretKeyFile: string, ending: string): string {
  const path = filePathOf(databaseUrl) ?? `${secretKeyFile}.${serverNameOf(databaseUrl)}`;
  return path + ending;
}

/** The same for what belongs to the file alone, and lies where a symbolic link leads to. */
export function besideFile(databaseUrl: string, secretKeyFile: string, ending: string): string {
  const path = filePathOf(databaseUrl);
  return path === undefined ? pathBeside(databaseUrl, secretKeyFile, ending) : whereLies(path) + ending;
}

/** For files that are imported. @param folder in which each database has one of its own */
export function importFolderOf(databaseUrl: string, secretKeyFile: string, folder?: string): string {
  if (folder === undefined) return pathBeside(databaseUrl, secretKeyFile, '.imports');
  return join(folder, inWords(filePathOf(databaseUrl) ?? serverNameOf(databaseUrl)));
}

function serverNameOf(databaseUrl: string): string {
  const { hostname, port, pathname, searchParams } = new URL(databaseUrl);
  return inWords([hostname || searchParams.get('host'), port || '5432', pathname.slice(1)].join('-'));
}

function inWords(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '_');
}
