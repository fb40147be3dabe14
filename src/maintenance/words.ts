/** What is said of how Roster is: on its page, and for a report of a fault, where nothing is about anybody. */
import { ROLE_NAMES } from '../auth/policy.ts';
import type { Role } from '../db/schema.ts';
import { MINUTE } from '../lib/clock.ts';
import { bytesOf, number } from '../lib/formats.ts';
import type { Run } from './queries.ts';
import type { Status } from './status.ts';

const HOUR_MINUTES = 60;
const DAY_MINUTES = 24 * HOUR_MINUTES;

/** "3 days", "5 hours", "12 minutes" */
export function durationOf(passed: number): string {
  const minutes = Math.max(0, Math.floor(passed / MINUTE));
  if (minutes >= DAY_MINUTES) return several(Math.floor(minutes / DAY_MINUTES), 'day');
  if (minutes >= HOUR_MINUTES) return several(Math.floor(minutes / HOUR_MINUTES), 'hour');
  return several(minutes, 'minute');
}

function several(count: number, what: string): string {
  return `${number.format(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** With one figure that is not 0: a report is not to tell one directory from another. */
function roughly(count: number): string {
  const unit = 10 ** Math.floor(Math.log10(Math.max(count, 1)));
  return number.format(Math.round(count / unit) * unit);
}

function roughBytes(count: number): string {
  const unit = 10 ** Math.floor(Math.log10(Math.max(count, 1)));
  return bytesOf(Math.round(count / unit) * unit);
}

/** Versions, sizes and counts: no name, host, path or address. */
export function reportOf(status: Status, now: number): string {
  const { database, backup, check, mail, signedIn, jobs, imports, free } = status;
  const sessions = signedIn.map(({ role, sessions: count }) => `${count} of ${ROLE_NAMES[role].many}`);
  return [
    `Roster ${status.version}, Node ${status.node}, ${process.platform} ${process.arch}, running for ${durationOf(now - status.since)}`,
    `${database.product}, schema ${database.schema}, ${roughBytes(database.size)}${database.logSize === undefined ? '' : `, log ${roughBytes(database.logSize)}`}`,
    `Users: about ${roughly(status.users)}`,
    `Connections of Rosters: ${database.connections.map(({ count }) => count).join(' + ') || 'none are counted'}`,
    `Backups: last good ${agoOf(backup.good, now)}, last bad since ${agoOf(backup.bad, now)}, ${backup.folder === undefined ? 'no folder set' : 'a folder set'}`,
    `Last check: ${agoOf(check, now)}${check ? `, ${check.outcome ?? 'without an end'}` : ''}`,
    `Mail: ${mail === undefined ? 'not set' : 'set'}`,
    `Signed in: ${sessions.join(', ') || 'nobody'}`,
    `Under way: ${several(jobs.length, 'job')}, ${several(imports.length, 'import')}`,
    `Free: ${free.map(({ bytes }) => (bytes === undefined ? 'not known' : roughBytes(bytes))).join(', ')}`,
  ].join('\n');
}

function agoOf(run: Run | undefined, now: number): string {
  return run === undefined ? 'none' : `${durationOf(now - run.begun_at)} ago`;
}

/** "1 administrator", "3 viewers" */
function rolesOf(count: number, role: Role): string {
  const { one, many } = ROLE_NAMES[role];
  return `${number.format(count)} ${count === 1 ? one.toLowerCase() : many}`;
}

export const maintenanceHelpers = { bytesOf, reportOf, rolesOf };
