/** `npm run bench:growth`: what so many users take on the disk, and how long what grows with them takes: one table in Markdown. */
import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bytesOf, number } from '../../../src/lib/formats.ts';
import { markdownTable } from '../../markdown-table.ts';
import { startPostgres } from '../../postgres/start.ts';
import { connect } from '../client.ts';
import { applyImport, backUp, bringFile } from '../many/acts.ts';
import { exportAll } from '../many/exports.ts';
import { writePeople } from '../many/file.ts';
import { PLAIN } from '../named-queries.ts';
import { makeNamesakes, NAMESAKES } from '../namesakes.ts';
import { processorTime } from '../processor.ts';
import { startRosterOn } from '../servers.ts';
import { addAdministrator } from '../session.ts';
import { engineNamed, seed, temporaryFolder } from '../workspace.ts';
import { ABSENT, addressesOf } from './addresses.ts';
import { bytesOfParts, sumOf } from './bytes.ts';
import { comparePartitions } from './partitions.ts';
import { countAll, secondsOf, type Timed, type Took, timeCreates, timePage } from './timed.ts';
import { makeViewers } from './viewers.ts';

/** In the file that is imported: a tenth of them are there already. */
const ROWS = 20_000;
/** Plain first pages, until what a server runs often has been compiled. */
const WARM_UP = 500;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    database: { type: 'string', default: 'sqlite' },
    backup: { type: 'boolean', default: true },
    seeded: { type: 'string' },
    partitions: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const users = Number(values.users);
const engine = engineNamed(values.database);
const folder = temporaryFolder();
const keyFile = join(folder, 'secret.key');
const postgres = engine === 'postgres' ? await startPostgres([]) : undefined;
const database = values.seeded ?? postgres?.url ?? `sqlite:${join(folder, 'roster.db')}`;
const rows: string[][] = [];

if (!values.seeded) addRate('seeding', users, await secondsOf(() => seed(database, users)));
await measureBytes();
const viewers = await makeViewers(database, users);
await addAdministrator(database, keyFile);
const roster = await startRosterOn(database, keyFile);
const { origin } = roster;
const client = connect(origin);
const processor = () => processorTime([roster.pid, ...(postgres ? [postgres.run] : [])]);
for (let time = 0; time < WARM_UP; time++) await client.ask(PLAIN);
for (const address of addressesOf(users)) await measurePage(address);
addTimed('a create', await timeCreates(origin, processor));
await measureLongWork();
client.close();
add('memory of its own after all of it', `${roster.anonymous().toFixed(0)} MB`);
await roster.stop();
if (values.partitions) await measurePartitions();
await postgres?.stop();
const machine = `Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model}, ${bytesOf(totalmem())} of memory`;
console.log(`\n${machine}; ${number.format(viewers)} may sign in\n`);
const head = [
  `${engine}, ${number.format(users)} users`,
  'processor',
  'least',
  'median',
  'all but a hundredth',
  'found',
];
for (const line of markdownTable(head, rows)) console.log(line);

/** Of those who were seeded; then what changing some of them adds. */
async function measureBytes(): Promise<void> {
  const seeded = await bytesOfParts(database);
  for (const { name, bytes } of seeded)
    if (bytes > users) add(`bytes a user: ${name}`, (bytes / users).toFixed(0));
  add('bytes a user: all', (sumOf(seeded) / users).toFixed(0), '', '', '', bytesOf(sumOf(seeded)));
  await makeNamesakes(database, users);
  const changed = await bytesOfParts(database);
  const changes = NAMESAKES.reduce((sum, { amount }) => sum + amount, 0);
  const addTo = (what: string, tables?: readonly string[]) => {
    const more = sumOf(changed, tables) - sumOf(seeded, tables);
    add(`bytes a change: ${what}`, (more / changes).toFixed(0));
  };
  addTo('what was changed (changes)', ['changes']);
  addTo('the act (change_sets)', ['change_sets']);
  addTo('search', ['search']);
  addTo('all');
}

async function measurePage({ name, path }: { name: string; path: string }): Promise<void> {
  addTimed(name, await timePage(client, path, processor));
}

async function measureLongWork(): Promise<void> {
  const counted = await secondsOf(() => countAll(origin, 'q=smith'));
  addLong('who has a common name, all counted to change them', counted, counted.result);
  addRate('exporting all', users, await secondsOf(() => exportAll(origin)));
  const file = join(folder, 'people.csv');
  await writePeople(file, ROWS, users);
  const read = await secondsOf(() => bringFile(origin, file));
  addRate(`reading an import of ${number.format(ROWS)}`, ROWS, read);
  await measurePage(ABSENT);
  addRate('applying it', ROWS, await secondsOf(() => applyImport(origin, read.result.address)));
  if (!values.backup) return;
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  const settings = { DATABASE_URL: database, SECRET_KEY_FILE: keyFile };
  addRate('a backup', users, await secondsOf(() => backUp(settings, backups)));
}

function addRate(what: string, count: number, took: Took<unknown>): void {
  addLong(what, took, `${number.format(Math.round(count / took.seconds))} a second`);
}

function addLong(what: string, { processor, seconds }: Took<unknown>, said: string): void {
  add(what, `${processor.toFixed(1)} s`, `${seconds.toFixed(1)} s`, '', '', said);
}

async function measurePartitions(): Promise<void> {
  for (const { name, whole, inParts } of await comparePartitions(database))
    add(
      `${name}: as it is, and in eight partitions`,
      '',
      `${whole.toFixed(1)} ms`,
      `${inParts.toFixed(1)} ms`,
    );
}

function addTimed(what: string, { said, ...times }: Timed): void {
  add(
    what,
    ...[times.processor, times.least, times.median, times.p99].map((time) => `${time.toFixed(1)} ms`),
    said,
  );
}

function add(...row: string[]): void {
  console.log(row.join(' · '));
  rows.push(row);
}
