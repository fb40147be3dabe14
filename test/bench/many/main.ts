/** `npm run bench:many`: very many users at once — taken out as a file, imported, taken back, changed in bulk, put back, backed up, and one of them erased — while others work. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { number } from '../../../src/lib/formats.ts';
import { startPostgres } from '../../postgres/start.ts';
import { startRosterOn } from '../servers.ts';
import { addAdministrator } from '../session.ts';
import { engineNamed, seed, temporaryFolder } from '../workspace.ts';
import { applyImport, backUp, bringFile, changeAll, undo } from './acts.ts';
import { timeBareTable } from './bare-table.ts';
import { Erased } from './erased.ts';
import { exportAll, exportSlowly, vanish } from './exports.ts';
import { writePeople } from './file.ts';
import { mostOfLog } from './log-size.ts';
import { type During, Others } from './others.ts';

/** What all but a hundredth of what others ask may take, in milliseconds. */
type Most = { pages?: number; creates?: number };
const PAGES_IN_TIME: Most = { pages: 50 };
const CREATES_IN_TIME: Most = { creates: 100 };
/** What single ones may take, in milliseconds: any, and creates beside a backup. */
const LONGEST = 1_000;
const LONGEST_BESIDE_BACKUP = 50;
/** Until what the first rows of a file would do is on the page, in milliseconds from when it was sent. */
const FIRST_TOTALS = 1_000;
/** What work may take of memory beyond what there was before it, in MB. */
const MOST_MEMORY = 300;
/** How many times as long as what it undoes an undo may take; and as without a backup others’ pages, with some milliseconds for chance. */
const UNDO_TIMES = 2;
const PAGES_TIMES = 1.5;
const CHANCE = 5;

/** What PostgreSQL keeps of its tables, of a machine with 4 GB as its manual has it: https://www.postgresql.org/docs/18/runtime-config-resource.html */
const MEMORY = '1GB';

const ACTS = ['export', 'import', 'bulk', 'backup', 'erase'] as const;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    database: { type: 'string', default: 'sqlite' },
    acts: { type: 'string', default: ACTS.join() },
    memory: { type: 'string', default: MEMORY },
  },
});
const wanted = values.acts.split(',');
const unknown = wanted.find((name) => !ACTS.some((act) => act === name));
if (unknown !== undefined) throw new Error(`--acts: ${unknown} is none of ${ACTS.join(', ')}.`);
const users = Number(values.users);
const engine = engineNamed(values.database);
const folder = temporaryFolder();
const [file, keyFile] = [join(folder, 'people.csv'), join(folder, 'secret.key')];
const postgres = engine === 'postgres' ? await startPostgres([`shared_buffers=${values.memory}`]) : undefined;
const database = postgres?.url ?? `sqlite:${join(folder, 'roster.db')}`;
await seed(database, users);
await addAdministrator(database, keyFile);
if (wanted.includes('import') || wanted.includes('bulk')) {
  await writePeople(file, users, users);
  const bare = await timeBareTable(engine, { folder, file, url: database });
  console.log(`${users.toLocaleString('en')} rows into a bare table with the same unique keys: ${bare}`);
}

const roster = await startRosterOn(database, keyFile);
const others = new Others(roster.origin, roster.anonymous);
const missed: string[] = [];
const atMost = (what: string, value: number, most: number, unit = 'ms') => {
  if (value > most) missed.push(`${what} ${value.toFixed(0)} ${unit}, ${most.toFixed(0)} at most`);
};
let idle: number | undefined;
const measure = async <T>(what: string, work: () => Promise<T>, most: Most = PAGES_IN_TIME) => {
  const { result, ...measured } = await others.during(work);
  print(what, measured);
  idle ??= measured.anonymous;
  atMost(`${what}: memory grew by`, measured.anonymous - idle, MOST_MEMORY, 'MB');
  for (const kind of ['creates', 'signIns'] as const)
    atMost(`${what}: the longest of others’ ${kind} took`, measured[kind].most, LONGEST);
  for (const [kind, milliseconds] of Object.entries(most) as [keyof Most, number][])
    atMost(`${what}: others’ ${kind} took`, measured[kind].p99, milliseconds);
  return { result, ...measured };
};
const during = async <T>(...asked: Parameters<typeof measure<T>>) => (await measure(...asked)).result;
/** Does it, and then undoes it. */
const undone = async (what: string, work: () => Promise<string>) => {
  const done = await measure(what, work);
  const undoing = await measure('undoing it', () => undo(roster.origin, done.result));
  atMost(`undoing it, after ${what}: it took`, undoing.seconds, done.seconds * UNDO_TIMES, 's');
};
/** With as long without it, right after. */
const compared = async <T>(what: string, work: () => Promise<T>) => {
  const beside = await measure(what, work);
  const without = await measure('  as long without', () => setTimeout(beside.seconds * 1_000));
  return { beside, without };
};
const exporting = async (what: string, work: (origin: string) => Promise<number>, unit: string) => {
  const exported = () => during(what, () => work(roster.origin), CREATES_IN_TIME);
  const { result, log } = await mostOfLog(database, exported);
  console.log(`  ${number.format(result)} ${unit}; the log of the database ${log.toFixed(0)} MB at most`);
};
const erased = new Erased({ origin: roster.origin, database, keyFile });
const expectGone = async () => {
  const { found, said } = await erased.look();
  console.log(`  ${said}`);
  if (found.length > 0) missed.push(`erasing one: ${found.join(', ')} is still in the files`);
};
const acts: Record<(typeof ACTS)[number], () => Promise<void>> = {
  async export() {
    await exporting('exporting all', exportAll, 'bytes');
    await exporting('exporting all, read slowly', exportSlowly, 'bytes read');
    await exporting('exporting all, twice, and going away', vanish, 'ms until the next has its turn');
  },
  async import() {
    const { address, firstTotals } = await during('reading the file', () => bringFile(roster.origin, file));
    const { fromBegin, fromEnd } = firstTotals;
    console.log(
      `  the first totals ${fromEnd.toFixed(0)} ms after the file was sent, ${fromBegin.toFixed(0)} ms after that had begun`,
    );
    atMost('reading the file: the first totals came after', fromEnd, FIRST_TOTALS);
    await undone('applying it', () => applyImport(roster.origin, address));
  },
  async bulk() {
    await undone('deactivating all who are active', () => changeAll(roster.origin, others));
    const both = () => Promise.all([bringFile(roster.origin, file), changeAll(roster.origin, others)]);
    await during('reading a file, beside deactivating all who are active', both);
  },
  async backup() {
    const backups = join(folder, 'backups');
    mkdirSync(backups);
    const settings = { DATABASE_URL: database, SECRET_KEY_FILE: keyFile };
    const { beside, without } = await compared('a backup', () => backUp(settings, backups));
    atMost('a backup: the longest of others’ creates took', beside.creates.most, LONGEST_BESIDE_BACKUP);
    atMost('a backup: others’ pages took', beside.pages.p99, without.pages.p99 * PAGES_TIMES + CHANCE);
  },
  async erase() {
    await erased.giveWords();
    const { beside } = await compared('erasing one', () => erased.erase());
    console.log(`  ${beside.result}`);
    if (engine === 'sqlite') await expectGone();
  },
};
// What a server runs often has been compiled by then.
await others.settle();
await during('nothing else', () => others.settle());
for (const name of ACTS) if (wanted.includes(name)) await acts[name]();
await others.stop();
// Nobody else writes then, and nobody reads.
if (engine === 'postgres' && wanted.includes('erase')) {
  await erased.purge();
  await expectGone();
}
await roster.stop();
await postgres?.stop();
if (missed.length > 0) {
  console.error(`Missed:\n${missed.join('\n')}`);
  process.exitCode = 1;
}

function print(what: string, { seconds, pages, slowest, creates, signIns, anonymous }: During): void {
  const of = ({ p50, p99, most, over }: During['pages']) =>
    `${p50.toFixed(0)} · ${p99.toFixed(0)} · ${most.toFixed(0)} ms, ${(100 * over).toFixed(1)} % over 50`;
  console.log(
    `${what}: ${seconds.toFixed(1)} s; others’ pages (median · p99 · most) ${of(pages)}, the slowest ${slowest}; creates ${of(creates)}; signing in ${of(signIns)}; ${anonymous.toFixed(0)} MB of its own`,
  );
}
