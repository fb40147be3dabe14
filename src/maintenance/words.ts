/** What is said of how Roster is: on its page, and for a report of a fault, where nothing is about anybody. */
import { ROLE_NAMES } from '../auth/policy.ts';
import type { Role } from '../db/schema.ts';
import { bytesOf, number, pluralize } from '../lib/formats.ts';
import { capital } from '../lib/text.ts';
import { ageOf, durationOf, IN_FUTURE, isAhead } from './duration.ts';
import { hasStopped, isInFolder } from './next-backup.ts';
import type { Run } from './queries.ts';
import type { Status } from './status.ts';
import { verdictOf } from './verdict.ts';

/** With one figure that is not 0: a report is not to tell one directory from another. */
function rough(count: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(count, 1)));
  return Math.round(count / unit) * unit;
}

function roughBytes(count: number): string {
  return bytesOf(rough(count));
}

/** Versions, sizes and counts: no name, host, path or address. */
function reportOf(status: Status, now: number): string {
  const { database, backup, check, mail, signedIn, jobs, imports } = status;
  const { connections, logSize } = database;
  const log = logSize === undefined ? '' : `, log ${roughBytes(logSize)}`;
  const lines = [
    `Roster ${status.version}, Node ${status.node}, ${process.platform} ${process.arch}`,
    `Running for ${durationOf(now - status.since)}`,
    `${database.product}, schema ${database.schema}, ${roughBytes(database.size)}${log}`,
    `Users: about ${number.format(rough(status.users))}`,
    `Room left: ${[database.free, backup.free].map(roomOf).join(', for backups ')}`,
    `Backups: good ${agoOf(backup.good, now)}, failed since ${agoOf(backup.bad, now)}, ${backup.folder === undefined ? 'no folder' : 'a folder'} set`,
    `Check: last ${agoOf(check.last, now)}${check.last ? `, ${outcomeOf(check.last)}` : ''}; found something ${agoOf(check.finding, now)}`,
    `Mail: ${mail === undefined ? 'not set' : 'set'}`,
    `Sessions: ${signedIn.map(({ role, sessions }) => `${role} ${sessions}`).join(', ') || 'none'}`,
    `Under way: ${pluralize(jobs.length, 'job')}, ${pluralize(imports.length, 'import')}`,
  ];
  if (database.processes) lines.push(`Processes that have it open: ${database.processes.length}`);
  const counts = connections.map(({ count }) => count);
  if (counts.length > 0) lines.push(`Connections by machine: ${counts.join(', ')}`);
  return lines.join('\n');
}

function roomOf(bytes: number | undefined): string {
  return bytes === undefined ? 'not known' : roughBytes(bytes);
}

function agoOf(run: Run | undefined, now: number): string {
  return run === undefined ? 'none' : ageOf(run.begun_at, now, 'ago');
}

function rolesName(role: Role): string {
  return capital(ROLE_NAMES[role].many);
}

function outcomeOf({ outcome, ended_at, is_quick }: Run): string {
  return `${is_quick ? 'quick, ' : ''}${outcome ?? (ended_at === null ? 'without an end' : 'could not look')}`;
}

function checkWords(run: Run, now: number): string {
  const { outcome, problem, is_quick } = run;
  if (outcome === 'good')
    return is_quick ? 'Nothing is wrong, as far as a quick one looks' : 'Nothing is wrong';
  return problem ?? (outcome === 'bad' ? 'Something is wrong.' : openWords(run, now));
}

function openWords(run: Run, now: number): string {
  return hasStopped(run, now) ? 'stopped before its end' : 'under way';
}

/** "this process alone", "this process, and 1204" */
function processWords(pids: readonly number[], own: number): string {
  const others = pids.filter((pid) => pid !== own);
  return others.length === 0 ? 'This process alone' : `This process, and ${others.join(', ')}`;
}

function nextWords(at: number, now: number): string {
  return at <= now ? 'within ten minutes' : `in ${durationOf(at - now)}`;
}

export const maintenanceHelpers = {
  aheadOf: (at: number, now: number) => (isAhead(at, now) ? IN_FUTURE : undefined),
  bytesOf,
  checkWords,
  isInFolder,
  nextWords,
  openWords,
  processWords,
  reportOf,
  rolesName,
  verdictOf,
};
