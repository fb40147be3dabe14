/** Imports in a database that is put back, whose files are gone by then, or lie on another machine. */
import { existsSync } from 'node:fs';
import type { Trx } from '../db/schema.ts';
import { lockJobOfSet } from '../jobs/queries.ts';
import { type Folder, filesOf } from './folder.ts';
import { discardedFor, findLiveImports, type Import, saveImport } from './queries.ts';
import { takeBack } from './take-back.ts';

/** What nobody can go on with ends: what had been begun to be applied is taken back. */
export async function endLostImports(trx: Trx, folder: Folder | undefined, now: number): Promise<void> {
  for (const imported of await findLiveImports(trx)) {
    if (!imported.is_by_command && isThere(imported, folder)) {
      if (imported.state === 'applying') await saveImport(trx, imported.id, { touched_at: now });
      continue;
    }
    const job = imported.set_id === null ? undefined : await lockJobOfSet(trx, imported.set_id);
    if (job) await takeBack(trx, job, 'put back', now);
    else await saveImport(trx, imported.id, { ...discardedFor('put back'), touched_at: now });
  }
}

function isThere({ folder: id, file, state }: Import, folder: Folder | undefined): boolean {
  if (folder === undefined || folder.id !== id) return false;
  const { upload, stage } = filesOf(folder, file);
  return existsSync(state === 'applying' ? stage : upload);
}
