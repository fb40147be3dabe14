/** What backups are called, and what lies beside them. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const DATED = /^roster-(.+)\.db$/;
const PUT_ASIDE = /\.before-restore-(.+)$/;
const STAMP = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z$/;

export function datedName(at: number): string {
  return `roster-${stampOf(at)}.db`;
}

export function dateOf(name: string): number | undefined {
  return timeOf(DATED.exec(name)?.[1]);
}

/** What a database is called whose place another one has taken. */
export function asideName(path: string, at: number): string {
  return `${path}.before-restore-${stampOf(at)}`;
}

export function dateAsideOf(name: string): number | undefined {
  return timeOf(PUT_ASIDE.exec(name)?.[1]);
}

/** By the second; without colons, which some file systems refuse. */
function stampOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

function timeOf(stamp = ''): number | undefined {
  const [, day, hours, minutes, seconds] = STAMP.exec(stamp) ?? [];
  const at = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(at) ? undefined : at;
}

export function keyBeside(file: string): string {
  return `${file}.key`;
}

export function backupOfKey(name: string): string | undefined {
  return name.endsWith('.key') ? name.slice(0, -'.key'.length) : undefined;
}

/** The file that says who was erased: of all backups in a folder one. */
export function ledgerBeside(file: string): string {
  return dateOf(basename(file)) === undefined ? ownLedger(file) : ledgerOfFolder(file);
}

/** All that may be there: somebody may have given a backup another name, or put it in the folder of others. */
export function ledgersBeside(file: string): string[] {
  const ledgers = [file, realpathSync(file)].flatMap((path) => [ownLedger(path), ledgerOfFolder(path)]);
  return [...new Set(ledgers)];
}

function ownLedger(file: string): string {
  return `${file}.erased.jsonl`;
}

function ledgerOfFolder(file: string): string {
  return join(dirname(file), 'erased.jsonl');
}
