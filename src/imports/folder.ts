/** Where the files of imports lie: a folder of this machine, with an identity, so that no other one is taken for it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFileOnce, unless } from '../lib/make-file.ts';

export type Folder = { path: string; id: string; host: string };

const IDENTITY = 'identity';

/** Undefined where there is none, and so no import. */
export function findFolder(path: string): Folder | undefined {
  const id = unless(['ENOENT'], () => readFileSync(join(path, IDENTITY), 'utf8').trim());
  return id === undefined ? undefined : { path, id, host: hostname() };
}

/** For its owner alone. */
export function makeFolder(path: string): Folder {
  const made = findFolder(path);
  if (made) return made;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  makeFileOnce(join(path, IDENTITY), (draft) =>
    writeFileSync(draft, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600, flush: true }),
  );
  return makeFolder(path);
}

const OWN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:csv|upload|stage(?:\.new)?(?:-journal)?)$/;

/** Whose file it is, by its name; undefined for what is not Roster's. */
export function ownerOf(name: string): string | undefined {
  return OWN.exec(name)?.[1];
}

/** What the files of one import are called, without an ending. */
export function newName(): string {
  return randomUUID();
}

/** `upload`: what somebody has brought; `stage`: the rows read from it, with what they would do. */
export function filesOf(folder: Pick<Folder, 'path'>, name: string): { upload: string; stage: string } {
  const path = join(folder.path, name);
  return { upload: `${path}.csv`, stage: `${path}.stage` };
}
