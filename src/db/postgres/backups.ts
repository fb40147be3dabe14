/** What PostgreSQL's own tools are for beside a backup of Roster's, and whether they are set up. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

const ANSWER_WITHIN_MS = 5_000;

const PURPOSE =
  'A backup of Roster’s is one file of one moment, which any Roster can restore. What came after that moment is kept by an archive of the server’s log alone, which pgBackRest and others make, and from which the server is brought to any moment; pg_dump copies one moment as the server has it.';

type Server = { version: number; archive_mode: string; archived: Date | null; failed: Date | null };

export async function adviseOnBackups(db: Db): Promise<string[]> {
  const { rows } = await sql<Server>`
    select current_setting('server_version_num')::int as version, current_setting('archive_mode') as archive_mode,
      last_archived_time as archived, last_failed_time as failed from pg_stat_archiver`.execute(db);
  const [server] = rows;
  return server ? [PURPOSE, adviseOnArchive(server), await adviseOnDump(majorOf(server.version))] : [PURPOSE];
}

function majorOf(version: number): number {
  return Math.floor(version / 10_000);
}

export function adviseOnArchive({ version, archive_mode, archived, failed }: Server): string {
  const server = `PostgreSQL ${majorOf(version)} here`;
  if (archive_mode === 'off') return `${server} keeps no archive of its log (archive_mode is off).`;
  if (archived === null)
    return `${server} has archived nothing of its log yet (archive_mode is ${archive_mode}).`;
  if (failed !== null && failed > archived)
    return `${server} fails to archive its log: last at ${failed.toISOString()}; see the server’s log.`;
  return `${server} has archived its log last at ${archived.toISOString()}.`;
}

async function adviseOnDump(server: number): Promise<string> {
  const dump = await findDump();
  if (dump === undefined) return 'There is no pg_dump in PATH.';
  return dump < server
    ? `pg_dump in PATH is of version ${dump}, which refuses a server of version ${server}.`
    : `pg_dump of version ${dump} is in PATH.`;
}

async function findDump(): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('pg_dump', ['--version'], { timeout: ANSWER_WITHIN_MS });
    const [, version] = /\(PostgreSQL\) (\d+)/.exec(stdout) ?? [];
    return version === undefined ? undefined : Number(version);
  } catch {
    return undefined;
  }
}
