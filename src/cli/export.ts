/** `npm run roster -- export users.csv`: everyone as a file, in the format that its name ends with. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { commandLine } from '../auth/actor.ts';
import { transact } from '../db/transact.ts';
import { StartError } from '../errors.ts';
import { countInSet, recordExport } from '../history/record.ts';
import { usersOf } from '../imports/words.ts';
import { number } from '../lib/formats.ts';
import { syncFolder } from '../lib/make-file.ts';
import { writeExport } from '../transfer/export.ts';
import { FORMATS, type FormatName } from '../transfer/formats.ts';
import { detailOf } from '../transfer/words.ts';
import { readArguments } from './arguments.ts';
import { readFilter } from './filter.ts';
import { openNamed } from './named-database.ts';
import { onStopSignal } from './signals.ts';
import { StatusLine } from './status-line.ts';

const USAGE =
  'Say where to: npm run roster -- export users.csv [--filter "status=active&role=member"], or users.jsonl, or users.vcf';

export async function exportFile(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, ['filter']);
  const [path, ...rest] = positionals;
  const format = path === undefined ? undefined : formatOf(path);
  if (path === undefined || format === undefined || rest.length > 0) throw new StartError(USAGE);
  const selection = readFilter(values.filter);
  const stop = new AbortController();
  const hearNoMore = onStopSignal(env, () =>
    stop.abort(new StartError('It was stopped before its end: there is no file.')),
  );
  const db = await openNamed(env);
  const line = new StatusLine();
  let count = 0;
  try {
    const set = await transact(db, (trx) =>
      recordExport(trx, commandLine, Date.now(), detailOf(selection, format)),
    );
    const note = (users: number) => {
      count += users;
      line.say(`${number.format(count)} users exported`);
    };
    await writeWhole(path, (file) => writeExport(db, { selection, format }, file, note, stop.signal));
    await transact(db, (trx) => countInSet(trx, set, count));
    line.clear();
    console.log(`${usersOf(count)} exported to ${resolve(path)}`);
  } finally {
    hearNoMore();
    await db.destroy();
  }
}

function formatOf(path: string): FormatName | undefined {
  const names = Object.keys(FORMATS) as FormatName[];
  return names.find((name) => extname(path).toLowerCase() === `.${FORMATS[name].extension}`);
}

type Writable = { write(text: string): Promise<void> };

/** The file is there once it is whole, in the place of the one before. */
async function writeWhole(path: string, write: (file: Writable) => Promise<void>): Promise<void> {
  const draft = `${path}.${randomUUID().slice(0, 8)}.new`;
  try {
    {
      await using file = await open(draft, 'wx', 0o600);
      await write({ write: (text) => file.appendFile(text) });
      await file.sync();
    }
    await rename(draft, path);
    syncFolder(resolve(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
