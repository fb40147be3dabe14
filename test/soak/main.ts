/** `npm run test:soak`: for 30 minutes on each database, or as many as MINUTES says; DATABASE names one of them. Ends with 1 where something is not as it has to be. */
import { cpus, loadavg } from 'node:os';
import type { Engine } from '../bench/workspace.ts';
import { reportOn } from './report.ts';
import { soak } from './soak.ts';

const { MINUTES = '30', DATABASE = 'sqlite,postgres' } = process.env;
const minutes = Number(MINUTES);
const engines = DATABASE.split(',').filter((name): name is Engine => ['sqlite', 'postgres'].includes(name));
if (!(minutes >= 1 && minutes <= 600) || engines.length === 0)
  throw new Error('MINUTES is a number from 1 to 600, DATABASE sqlite or postgres.');

const MOST_SAID = 50;
/** Of chores: two in each sixth of the time. */
const ROUNDS = 12;

for (const engine of engines) {
  const seconds = minutes * 60;
  const orders = {
    engine,
    seconds,
    users: 100_000,
    rows: 2_000,
    rounds: ROUNDS,
    thinking: 1_000,
    looksAtKept: true,
  };
  console.log(`${engine}: ${minutes} minutes, ${cpus().length} cores, Node ${process.versions.node}`);
  const measured = await soak(orders, (line) => console.log(line));
  const { lines, problems } = reportOn(measured, { engine, length: seconds * 1000, rounds: ROUNDS });
  console.log([...lines, `Load of the machine: ${loadavg()[1]?.toFixed(1)}`, ''].join('\n'));
  for (const problem of problems.slice(0, MOST_SAID)) console.log(`Not as it has to be: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
