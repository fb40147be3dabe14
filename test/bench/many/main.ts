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

const ACTS = ['export', 'import', 'bulk', 'backup', 'erase'] as const;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    database: { type: 'string', default: 'sqlite' },
    acts: { type: 'string', default: ACTS.join() },
  },
});
const wanted = values.acts.split(',');
const unknown = wanted.find((name) => !ACTS.some((act) => act === name));
if (unknown !== undefined) throw new Error(`--acts: ${unknown} is none of ${ACTS.join(', ')}.`);
const users = Number(values.users);
const engine = engineNamed(values.database);
const folder = temporaryFolder();
const [file, keyFile] = [join(folder, 'people.csv'), join(folder, 'secret.key')];
const postgres = engine === 'postgres' ? await startPostgres([]) : undefined;
const database = postgres?.url ?? `sqlite:${join(folder, 'roster.db')}`;
await seed(database, users);
await addAdministrator(database, keyFile);
await writePeople(file, users, users);
const bare = await timeBareTable(engine, { folder, file, url: database });
console.log(`${users.toLocaleString('en')} rows into a bare table with the same unique keys: ${bare}`);

const roster = await startRosterOn(database, keyFile);
const others = new Others(roster.origin, roster.anonymous);
const missed: string[] = [];
const during = async <T>(what: string, work: () => Promise<T>, most: Most = PAGES_IN_TIME) => {
  const { result, ...measured } = await others.during(work);
  print(what, measured);
  for (const [kind, milliseconds] of Object.entries(most) as [keyof Most, number][]) {
    const { p99 } = measured[kind];
    if (p99 > milliseconds)
      missed.push(`${what}: others’ ${kind} took ${p99.toFixed(0)} ms, ${milliseconds} at most`);
  }
  return result;
};
/** With as long without it, right after. */
const compared = async <T>(what: string, work: () => Promise<T>) => {
  const begun = performance.now();
  const result = await during(what, work);
  const took = performance.now() - begun;
  await during('  as long without', () => setTimeout(took));
  return result;
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
    const imported = await during('reading the file', () => bringFile(roster.origin, file));
    const set = await during('applying it', () => applyImport(roster.origin, imported));
    await during('undoing it', () => undo(roster.origin, set));
  },
  async bulk() {
    const changed = await during('deactivating all who are active', () => changeAll(roster.origin, others));
    await during('undoing that', () => undo(roster.origin, changed));
    const both = () => Promise.all([bringFile(roster.origin, file), changeAll(roster.origin, others)]);
    await during('reading a file, beside deactivating all who are active', both);
  },
  async backup() {
    const backups = join(folder, 'backups');
    mkdirSync(backups);
    await compared('a backup', () => backUp({ DATABASE_URL: database, SECRET_KEY_FILE: keyFile }, backups));
  },
  async erase() {
    await erased.giveWords();
    console.log(`  ${await compared('erasing one', () => erased.erase())}`);
    if (engine === 'sqlite') await expectGone();
  },
};
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

function print(what: string, { seconds, pages, creates, signIns, anonymous }: During): void {
  const of = ({ p50, p99, most, over }: During['pages']) =>
    `${p50.toFixed(0)} · ${p99.toFixed(0)} · ${most.toFixed(0)} ms, ${(100 * over).toFixed(1)} % over 50`;
  console.log(
    `${what}: ${seconds.toFixed(1)} s; others’ pages (median · p99 · most) ${of(pages)}; creates ${of(creates)}; signing in ${of(signIns)}; ${anonymous.toFixed(0)} MB of its own`,
  );
}
