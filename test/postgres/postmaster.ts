/** Which process a PostgreSQL is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param data the folder of its databases @throws Error where none runs there */
export function postmasterOf(data: string): number {
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
}
