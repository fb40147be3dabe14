/** What Roster is set to do, from the environment: all checked at start. Times are in milliseconds. */
import { isatty } from 'node:tty';
import type { z } from 'zod';
import {
  DATABASE_URL_RULE,
  defaultProblem,
  filePathOf,
  importFolderOf,
  keyFileOf,
  PATH_RULE,
  parseDatabaseUrl,
  parsePath,
} from './database-url.ts';
import { StartError } from './errors.ts';
import { isLoopback, problemOf, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

export type Config = {
  host: string;
  port: number;
  /** Processes under a parent; undefined where there is none. */
  workers: number | undefined;
  origin: URL | undefined;
  /** `sqlite:` and a whole path, or `postgres://…`. */
  databaseUrl: string;
  requireDatabase: boolean;
  databaseConnections: number;
  /** Where pages are read; empty where that is the database itself. */
  readUrls: readonly string[];
  readLag: number;
  secretKeyFile: string;
  importFolder: string;
  backupFolder: string | undefined;
  backupEvery: number;
  backupKeep: number;
  metricsToken: string | undefined;
  /** Of this machine alone; 0 takes a free one, undefined none. */
  metricsPort: number | undefined;
  logLevel: string;
  /** Undefined where it depends on where the log goes. */
  logFormat: 'text' | 'json' | undefined;
  trustProxy: readonly string[];
  sessionIdle: number;
  sessionLasts: number;
  mail: { server: URL; from: string } | undefined;
  keepAlive: number;
  drainTime: number;
};

const PLAIN_HTTP =
  'Roster speaks plain HTTP, which is for this machine alone: with another HOST than 127.0.0.1 set ORIGIN to the https address of the proxy before it, and TRUST_PROXY to the address of that proxy.';

const NO_PROXY =
  'ORIGIN says that there is a proxy: set TRUST_PROXY to its address, or everyone seems to ask from there and has to wait for the others’ wrong passwords.';

const NO_PRIMARY =
  'DATABASE_READ_URL names replicas of a PostgreSQL: set DATABASE_URL to the address of its primary.';

const NO_ORIGIN =
  'SMTP_URL is for sending links to Roster by mail: set ORIGIN to the address where people reach it.';

/** @throws StartError that names every setting that is wrong. */
export function readConfig(env: Record<string, string | undefined>, isByPerson = isAtTerminal()): Config {
  const data = readSettings(env);
  const secretKeyFile = data.SECRET_KEY_FILE ?? keyFileOf(data.DATABASE_URL);
  const config: Config = {
    host: data.HOST,
    port: data.PORT,
    workers: data.WORKERS,
    origin: data.ORIGIN,
    databaseUrl: data.DATABASE_URL,
    requireDatabase: data.REQUIRE_DATABASE === '1',
    databaseConnections: data.DATABASE_CONNECTIONS,
    readUrls: data.DATABASE_READ_URL,
    readLag: data.READ_LAG_SECONDS,
    secretKeyFile,
    importFolder: importFolderOf(data.DATABASE_URL, secretKeyFile, data.IMPORT_FOLDER),
    backupFolder: data.BACKUP_FOLDER,
    backupEvery: data.BACKUP_EVERY_HOURS,
    backupKeep: data.BACKUP_KEEP,
    metricsToken: data.METRICS_TOKEN,
    metricsPort: data.METRICS_PORT,
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
    trustProxy: data.TRUST_PROXY,
    sessionIdle: data.SESSION_IDLE_HOURS,
    sessionLasts: data.SESSION_HOURS,
    mail: mailOf(data),
    keepAlive: data.KEEP_ALIVE_SECONDS,
    // A proxy asks every few seconds whether Roster is ready; nobody at a terminal waits.
    drainTime: data.DRAIN_SECONDS ?? (isByPerson ? 0 : 5_000),
  };
  refuseTogether(config);
  return config;
}

function readSettings(env: Record<string, string | undefined>): z.infer<typeof SETTINGS> {
  const given = SETTING_NAMES.filter((name) => env[name]).map((name) => [name, env[name]]);
  const { data, error } = SETTINGS.safeParse(Object.fromEntries(given));
  const wrong = new Set(error?.issues.map(({ path }) => path[0] as SettingName));
  const problems = [...wrong].map((name) => problemOf(name, env[name]));
  const unclear = env.DATABASE_URL ? undefined : defaultProblem();
  if (unclear) problems.push(unclear);
  if (data === undefined || problems.length > 0) throw new StartError(problems.join('\n'));
  return data;
}

function refuseTogether(config: Config): void {
  if (!isLoopback(config.host) && !isBehindProxy(config)) throw new StartError(PLAIN_HTTP);
  if (config.readUrls.length > 0 && filePathOf(config.databaseUrl) !== undefined)
    throw new StartError(NO_PRIMARY);
  if (config.origin && config.trustProxy.length === 0) throw new StartError(NO_PROXY);
}

export function isAtTerminal(): boolean {
  return isatty(0) || isatty(1);
}

function mailOf({ SMTP_URL, MAIL_FROM, ORIGIN }: z.infer<typeof SETTINGS>): Config['mail'] {
  if (SMTP_URL === undefined) return undefined;
  if (ORIGIN === undefined) throw new StartError(NO_ORIGIN);
  return { server: SMTP_URL, from: MAIL_FROM ?? `roster@${ORIGIN.hostname}` };
}

/** @throws StartError */
export function readDatabaseUrl(name: string, value: string): string {
  const url = parseDatabaseUrl(value);
  if (url === undefined) throw new StartError(`${name} must be ${DATABASE_URL_RULE}.`);
  return url;
}

/** @throws StartError */
export function readPath(name: string, value: string): string {
  const path = parsePath(value);
  if (path === undefined) throw new StartError(`${name} must be ${PATH_RULE}, not "${value}".`);
  return path;
}

export function isHttps({ origin }: Pick<Config, 'origin'>): boolean {
  return origin?.protocol === 'https:';
}

/** Whether passwords and cookies are encrypted on their way, and who sends them is known. */
export function isBehindProxy(config: Pick<Config, 'origin' | 'trustProxy'>): boolean {
  return isHttps(config) && config.trustProxy.length > 0;
}
