/** The settings: what each may be, and what is said of it. Texts from the environment go in. */
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  DATABASE_URL_RULE,
  DEFAULT_DATABASE_URL,
  FOLDER_RULE,
  filePathOf,
  PATH_RULE,
  parseDatabaseUrl,
  parseFolder,
  parsePath,
} from './database-url.ts';
import { HOUR } from './lib/clock.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const SECOND = 1_000;

const rules = z.registry<{ rule: string; help: string }>();

export const SETTINGS = z.object({
  HOST: setting(
    z.string().refine(isHost).toLowerCase().prefault('127.0.0.1'),
    'a host name or an IP address',
    'the address to listen on (127.0.0.1)',
  ),
  PORT: setting(
    whole(0, 65535).prefault('3000'),
    'a whole number from 0 to 65535',
    'the port to listen on, 0 for a free one (3000)',
  ),
  WORKERS: setting(
    z
      .literal('auto')
      .transform(() => availableParallelism())
      .or(whole(1, 64))
      .optional(),
    'a whole number from 1 to 64, or auto',
    'how many processes answer, under one that starts another where one dies: auto is one for each core\n(none: it answers itself)',
  ),
  ORIGIN: setting(
    parsed(parseOrigin).optional(),
    'an address such as https://users.example.org or https://example.org/users; http is for this machine alone',
    'where people reach Roster, if not there: https://users.example.org, or with a path, which the proxy may take off\nor not: https://example.org/users (none)',
  ),
  DATABASE_URL: setting(
    parsed(parseDatabaseUrl).default(DEFAULT_DATABASE_URL),
    DATABASE_URL_RULE,
    'sqlite: and the path of the database file, or postgres://user:password@host:5432/database\n(sqlite: and data/roster.db in the project)',
  ),
  REQUIRE_DATABASE: setting(
    z.enum(['0', '1']).prefault('0'),
    '1 or 0',
    '1 starts only with a database that is there, and makes none (0)',
  ),
  DATABASE_CONNECTIONS: setting(
    whole(1, 1000).prefault('10'),
    'a whole number from 1 to 1000',
    'how many connections to PostgreSQL are opened at most (10)',
  ),
  DATABASE_READ_URL: setting(
    parsed(parseReadUrls).default([]),
    'addresses as that of DATABASE_URL, of PostgreSQL, with commas between',
    'where pages are read: replicas of that PostgreSQL, with commas between, of each its own address (none)',
  ),
  READ_LAG_SECONDS: setting(
    whole(1, 3600, SECOND).prefault('2'),
    'a whole number of seconds from 1 to 3600',
    'a replica that is further behind is left out (2)',
  ),
  SECRET_KEY_FILE: setting(
    parsed(parsePath).optional(),
    PATH_RULE,
    'the file with the key that secrets in the database are sealed with, made at the first start\n(secret.key beside the database file; with PostgreSQL data/secret.key in the project)',
  ),
  IMPORT_FOLDER: setting(
    parsed(parseFolder).optional(),
    FOLDER_RULE,
    'the folder in which each database has one for files that are imported, which are there for a day at most;\nfor this machine alone (beside the database file; with PostgreSQL beside the key)',
  ),
  BACKUP_FOLDER: setting(
    parsed(parseFolder).optional(),
    FOLDER_RULE,
    'the folder, which has to be there, into which Roster itself makes backups (none: it makes none)',
  ),
  BACKUP_EVERY_HOURS: setting(
    whole(1, 8760, HOUR).prefault('24'),
    'a whole number of hours from 1 to 8760',
    'after how many hours it makes the next one (24)',
  ),
  BACKUP_KEEP: setting(
    whole(1, 10_000).prefault('14'),
    'a whole number from 1 to 10000',
    'how many stay there: older ones are removed once a new one is good (14)',
  ),
  TRUST_PROXY: setting(
    parsed(parseNetworks).default([]),
    'addresses or networks with commas between, such as 10.0.0.0/8',
    'the addresses or networks of proxies that tell the truth about who asks (none)',
  ),
  SESSION_IDLE_HOURS: setting(
    whole(1, 8760, HOUR).prefault('12'),
    'a whole number of hours from 1 to 8760',
    'after how long without use someone has to sign in again (12)',
  ),
  SESSION_HOURS: setting(
    whole(1, 8760, HOUR).prefault('168'),
    'a whole number of hours from 1 to 8760',
    'after how long everyone has to (168)',
  ),
  SMTP_URL: setting(
    parsed(parseSmtpUrl).optional(),
    'smtp:// or smtps:// and a mail server, such as smtps://user:password@mail.example.org',
    'the mail server by which Roster sends access links itself; needs ORIGIN (none)',
  ),
  MAIL_FROM: setting(
    z.email().optional(),
    'an email address',
    'whom those mails are from (roster@ and the host of ORIGIN)',
  ),
  KEEP_ALIVE_SECONDS: setting(
    whole(1, 3600, SECOND).prefault('150'),
    'a whole number of seconds from 1 to 3600',
    'for how long an idle connection is kept: longer than the proxy keeps it (150)',
  ),
  DRAIN_SECONDS: setting(
    whole(0, 3600, SECOND).optional(),
    'a whole number of seconds from 0 to 3600',
    'for how long it goes on answering, while /readyz says no, when it is to stop (0 at a terminal, else 5)',
  ),
  METRICS_TOKEN: setting(
    z
      .string()
      .regex(/^[\w.~+/-]{16,200}=*$/)
      .optional(),
    'at least 16 letters and digits, such as those that this makes: openssl rand -hex 24',
    'who has it as a bearer token gets measurements for Prometheus, at /metrics (none: nobody does)',
  ),
  METRICS_PORT: setting(
    whole(0, 65535).optional(),
    'a whole number from 0 to 65535',
    'a port of 127.0.0.1 at which whoever is on this machine gets them without a token,\n0 for a free one (none)',
  ),
  LOG_LEVEL: setting(
    z.enum(LOG_LEVELS).prefault('warn'),
    `one of ${LOG_LEVELS.join(', ')}`,
    `${LOG_LEVELS.join(', ')} (warn); from info on, every request;\nsign-ins, changes of access and backups at each but silent`,
  ),
  LOG_FORMAT: setting(
    z.enum(['text', 'json']).optional(),
    'text or json',
    'text is for people, json has one object a line (text on a terminal, else json)',
  ),
});

export type SettingName = keyof typeof SETTINGS.shape;
/** Their values may hold a password. */
const SECRET_SETTINGS: readonly SettingName[] = [
  'DATABASE_URL',
  'DATABASE_READ_URL',
  'SMTP_URL',
  'METRICS_TOKEN',
];
export const SETTING_NAMES = Object.keys(SETTINGS.shape) as SettingName[];

export const SETTINGS_HELP = `Settings, from the environment:\n${SETTING_NAMES.map(helpOn).join('\n')}`;

/** What is wrong with a value, in a sentence that repeats it, unless it may hold a password. */
export function problemOf(name: SettingName, value = ''): string {
  const { rule } = rules.get(SETTINGS.shape[name]) ?? {};
  return `${name} must be ${rule}${SECRET_SETTINGS.includes(name) ? '' : `, not "${value}"`}.`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function setting<S extends z.ZodType>(schema: S, rule: string, help: string): S {
  rules.add(schema, { rule, help });
  return schema;
}

function parsed<T>(parse: (value: string) => T | undefined) {
  return z.string().transform((value, context) => {
    const result = parse(value);
    if (result === undefined) context.addIssue({ code: 'custom' });
    return result as T;
  });
}

/** @param unit that the number counts, and is multiplied by. */
function whole(least: number, most: number, unit = 1) {
  const number = z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number);
  return number.pipe(z.number().min(least).max(most)).transform((count) => count * unit);
}

function isHost(value: string): boolean {
  const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value) && value.length <= 253;
  return isIP(value) !== 0 || isName;
}

function parseOrigin(value: string): URL | undefined {
  const url = URL.parse(value);
  // A path, but no user, query or what else would be left out.
  if (url === null || url.origin + url.pathname !== url.href || !/^(\/[\w.~-]+)*\/?$/.test(url.pathname))
    return undefined;
  const isHere = isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url : undefined;
}

function parseSmtpUrl(value: string): URL | undefined {
  const url = URL.parse(value);
  const isServer = url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== '';
  if (!isServer || !/^\/?$/.test(url.pathname + url.search + url.hash)) return undefined;
  return isDecodable(url.username + url.password) ? url : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function parseNetworks(value: string): string[] | undefined {
  const all = value.split(',').map((network) => network.trim());
  return all.every(isNetwork) ? all : undefined;
}

function parseReadUrls(value: string): string[] | undefined {
  const urls = value.split(',').map((url) => parseDatabaseUrl(url.trim()) ?? '');
  return urls.every((url) => url !== '' && filePathOf(url) === undefined) ? urls : undefined;
}

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  // Not 0: everyone's word would count.
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

function helpOn(name: SettingName): string {
  const indent = ' '.repeat(16);
  const lines = (rules.get(SETTINGS.shape[name])?.help ?? '').replaceAll('\n', `\n${indent}`);
  return name.length < 14 ? `  ${name.padEnd(13)} ${lines}` : `  ${name}\n${indent}${lines}`;
}
