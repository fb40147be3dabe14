/** `npm run roster -- export users.csv`: everyone as a file, in the format that its name ends with. */
import { rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { commandLine } from '../auth/actor.ts';
import { makeDraftFolder, removeLeftOvers } from '../backup/draft-folder.ts';
import { folderAt, refuseTaken, sentenceOfRefused } from '../backup/target-file.ts';
import { transact } from '../db/transact.ts';
import { StartError } from '../errors.ts';
import { writeExport } from '../exports/export.ts';
import { FORMATS, type FormatName } from '../exports/formats.ts';
import { detailOf } from '../exports/words.ts';
import { countInSet, recordExport } from '../history/record.ts';
import { number, usersOf } from '../lib/formats.ts';
import { isFolder, syncFolder } from '../lib/make-file.ts';
import { readArguments } from './arguments.ts';
import { readFilter } from './filter.ts';
import { openNamed } from './named-database.ts';
import { onStopSignal } from './signals.ts';
import { StatusLine } from './status-line.ts';

const USAGE =
  'Say where to: npm run roster -- export users.csv [--filter "status=active&role=member"], or users.jsonl, or users.vcf';

export async function exportFile(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, ['filter'], ['force']);
  const [path, ...rest] = positionals;
  const format = path === undefined ? undefined : formatOf(path);
  if (path === undefined || format === undefined || rest.length > 0) throw new StartError(USAGE);
  const selection = readFilter(values.filter);
  try {
    refusePlace(path, values.force ?? false);
  } catch (error) {
    throw sentenceOfRefused(path, error);
  }
  const stop = new AbortController();
  const hearNoMore = onStopSignal(env, () =>
    stop.abort(new StartError('It was stopped before its end: there is no file.')),
  );
  const db = await openNamed(env);
  const line = new StatusLine();
  let count = 0;
  try {
    const note = (users: number) => {
      count += users;
      line.say(`${number.format(count)} users exported`);
    };
    await writeWhole(path, async (file) => {
      const detail = detailOf(selection, format);
      const set = await transact(db, (trx) => recordExport(trx, commandLine, Date.now(), detail));
      await writeExport(db, { selection, format }, file, note, stop.signal);
      await transact(db, (trx) => countInSet(trx, set, count));
    });
    line.clear();
    console.log(`${usersOf(count)} exported to ${resolve(path)}`);
  } catch (error) {
    line.clear();
    throw sentenceOfRefused(path, error);
  } finally {
    hearNoMore();
    await db.destroy();
  }
}

function formatOf(path: string): FormatName | undefined {
  const names = Object.keys(FORMATS) as FormatName[];
  return names.find((name) => extname(path).toLowerCase() === `.${FORMATS[name].extension}`);
}

function refusePlace(path: string, isForced: boolean): void {
  folderAt(dirname(resolve(path)));
  if (isFolder(path)) throw new StartError(`${path} is a folder: give the file another name.`);
  refuseTaken(path, isForced);
}

type Writable = { write(text: string): Promise<void> };

/** The file is there once it is whole, in the place of the one before. @param write begins once there can be one */
async function writeWhole(path: string, write: (file: Writable) => Promise<void>): Promise<void> {
  const whole = resolve(path);
  removeLeftOvers(whole);
  const folder = makeDraftFolder(whole);
  try {
    const draft = join(folder, 'export');
    const file = await open(draft, 'wx', 0o600);
    try {
      await write({ write: (text) => file.appendFile(text) });
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, whole);
    syncFolder(whole);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
