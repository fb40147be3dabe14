/** The settings: all from the environment, all checked at start. */
import { isIP } from 'node:net';
import {
  DATABASE_URL_RULE,
  DEFAULT_DATABASE_URL,
  defaultProblem,
  keyFileOf,
  PATH_RULE,
  parseDatabaseUrl,
  parsePath,
} from './database-url.ts';
import { StartError } from './errors.ts';

export type Config = {
  /** The address to listen on. */
  host: string;
  /** 0 to 65535; 0 takes a free one. */
  port: number;
  /** Where people reach Roster from outside, if that differs: scheme, host and port. */
  origin: URL | undefined;
  /** `sqlite:` and a whole path, or `postgres://…`. */
  databaseUrl: string;
  /** Whether Roster starts with a database that is there, and makes none. */
  requireDatabase: boolean;
  /** How many connections to PostgreSQL requests share. */
  databaseConnections: number;
  /** The file with the key that secrets in the database are sealed with. */
  secretKeyFile: string;
  logLevel: string;
  /** The proxies whose word about a client's address counts: addresses and networks. */
  trustProxy: readonly string[];
  /** Milliseconds after which a session ends that nobody uses, and any. */
  sessionIdle: number;
  sessionLasts: number;
  /** Milliseconds for which an idle connection is kept for the next request. */
  keepAlive: number;
  /** Milliseconds for which it goes on answering once it is to stop; undefined where that depends on how it runs. */
  drainTime: number | undefined;
};

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const PLAIN_HTTP =
  'Roster speaks plain HTTP, which is for this machine alone: with another HOST than 127.0.0.1 set ORIGIN to the https address of the proxy before it, and TRUST_PROXY to the address of that proxy.';

const NO_PROXY =
  'ORIGIN says that there is a proxy: set TRUST_PROXY to its address, or everyone seems to ask from there and has to wait for the others’ wrong passwords.';

export const SETTINGS_HELP = `Settings, from the environment:
  HOST          the address to listen on (127.0.0.1)
  PORT          the port to listen on, 0 for a free one (3000)
  ORIGIN        where people reach Roster, if not there: https://users.example.org (none)
  DATABASE_URL  sqlite: and the path of the database file, or postgres://user:password@host:5432/database
                (sqlite: and data/roster.db in the project)
  REQUIRE_DATABASE
                1 starts with a database that is there alone, and makes none (0)
  DATABASE_CONNECTIONS
                how many connections to PostgreSQL are opened at most (10)
  SECRET_KEY_FILE
                the file with the key that secrets in the database are sealed with, made at the first start
                (secret.key beside the database file; with PostgreSQL data/secret.key in the project)
  TRUST_PROXY   the addresses or networks of proxies that tell the truth about who asks (none)
  SESSION_IDLE_HOURS
                after how long without use someone has to sign in again (12)
  SESSION_HOURS after how long anyone has to (168)
  KEEP_ALIVE_SECONDS
                for how long an idle connection is kept: longer than the proxy keeps it (75)
  DRAIN_SECONDS for how long it goes on answering, while /readyz says no, when it is to stop (0 at a terminal, else 5)
  LOG_LEVEL     ${LOG_LEVELS.join(', ')} (warn); from info on, every request`;

/** @throws StartError that names every setting that is wrong. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  function read<T>(name: string, fallback: string, parse: (value: string) => T | undefined, rule: string): T {
    const value = env[name] || fallback;
    const parsed = parse(value);
    if (parsed === undefined)
      problems.push(`${name} must be ${rule}${name === 'DATABASE_URL' ? '' : `, not "${value}"`}.`);
    return parsed as T;
  }
  const url = env.DATABASE_URL
    ? read('DATABASE_URL', '', parseDatabaseUrl, DATABASE_URL_RULE)
    : DEFAULT_DATABASE_URL;
  const unclear = env.DATABASE_URL ? undefined : defaultProblem();
  if (unclear) problems.push(unclear);
  const config = {
    host: read('HOST', '127.0.0.1', hostname, 'a host name or an IP address'),
    port: read('PORT', '3000', port, 'a whole number from 0 to 65535'),
    origin: env.ORIGIN
      ? read(
          'ORIGIN',
          '',
          origin,
          'an address such as https://users.example.org; http is for this machine alone',
        )
      : undefined,
    databaseUrl: url,
    requireDatabase: read('REQUIRE_DATABASE', '0', yesOrNo, '1 or 0'),
    secretKeyFile: env.SECRET_KEY_FILE
      ? read('SECRET_KEY_FILE', '', parsePath, PATH_RULE)
      : keyFileOf(url ?? ''),
    databaseConnections: read('DATABASE_CONNECTIONS', '10', connections, 'a whole number from 1 to 1000'),
    logLevel: read('LOG_LEVEL', 'warn', logLevel, `one of ${LOG_LEVELS.join(', ')}`),
    trustProxy: env.TRUST_PROXY
      ? read('TRUST_PROXY', '', proxies, 'addresses or networks with commas between, such as 10.0.0.0/8')
      : [],
    sessionIdle: read('SESSION_IDLE_HOURS', '12', hours, 'a whole number of hours from 1 to 8760'),
    sessionLasts: read('SESSION_HOURS', '168', hours, 'a whole number of hours from 1 to 8760'),
    keepAlive: read('KEEP_ALIVE_SECONDS', '75', secondsFrom(1), 'a whole number of seconds from 1 to 3600'),
    drainTime: env.DRAIN_SECONDS
      ? read('DRAIN_SECONDS', '', secondsFrom(0), 'a whole number of seconds from 0 to 3600')
      : undefined,
  };
  if (problems.length === 0 && !isLoopback(config.host) && !isBehindProxy(config)) problems.push(PLAIN_HTTP);
  else if (config.origin && config.trustProxy.length === 0) problems.push(NO_PROXY);
  if (problems.length > 0) throw new StartError(problems.join('\n'));
  return config;
}

/**
 * The address of a database that an option gives.
 * @throws StartError
 */
export function readDatabaseUrl(name: string, value: string): string {
  const url = parseDatabaseUrl(value);
  if (url === undefined) throw new StartError(`${name} must be ${DATABASE_URL_RULE}.`);
  return url;
}

/**
 * The path of a file that an option or a setting gives.
 * @throws StartError
 */
export function readPath(name: string, value: string): string {
  const path = parsePath(value);
  if (path === undefined) throw new StartError(`${name} must be ${PATH_RULE}, not "${value}".`);
  return path;
}

/** Whether people reach Roster by https. */
export function isHttps({ origin }: Pick<Config, 'origin'>): boolean {
  return origin?.protocol === 'https:';
}

/** Whether passwords and cookies are encrypted on their way, and who sends them is known. */
function isBehindProxy(config: Pick<Config, 'origin' | 'trustProxy'>): boolean {
  return isHttps(config) && config.trustProxy.length > 0;
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function hostname(value: string): string | undefined {
  const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value) && value.length <= 253;
  return isIP(value) !== 0 || isName ? value.toLowerCase() : undefined;
}

function port(value: string): number | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65535 ? Number(value) : undefined;
}

function origin(value: string): URL | undefined {
  const url = URL.parse(value);
  if (url === null || `${url.origin}/` !== url.href) return undefined;
  const isHere = isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url : undefined;
}

function yesOrNo(value: string): boolean | undefined {
  return /^[01]$/.test(value) ? value === '1' : undefined;
}

function connections(value: string): number | undefined {
  return /^[1-9]\d{0,2}$|^1000$/.test(value) ? Number(value) : undefined;
}

function proxies(value: string): string[] | undefined {
  const all = value.split(',').map((proxy) => proxy.trim());
  return all.every(isNetwork) ? all : undefined;
}

/** Whether it is an address of IP, or a network such as `10.0.0.0/8`. */
function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  // Not 0: everyone's word would count.
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

function hours(value: string): number | undefined {
  const isInRange = /^[1-9]\d{0,3}$/.test(value) && Number(value) <= 8760;
  return isInRange ? Number(value) * 60 * 60 * 1000 : undefined;
}

function secondsFrom(least: number): (value: string) => number | undefined {
  return (value) => {
    const isInRange = /^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= 3600;
    return isInRange ? Number(value) * 1000 : undefined;
  };
}

function logLevel(value: string): string | undefined {
  return LOG_LEVELS.includes(value) ? value : undefined;
}
