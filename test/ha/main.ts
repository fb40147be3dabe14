/**
 * `npm run test:ha -- --rounds 3`: what becomes of Roster when its primary dies, and what leads there. Ends with 1 where a promise
 * is broken. `--switchovers`: nothing is killed.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { KILLS } from './faults.ts';
import { missingPackages } from './programs.ts';
import { reportOn } from './report.ts';
import { run } from './rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, switchovers: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error('--rounds is a whole number from 1 on.');

const missing = missingPackages();
if (missing.length > 0)
  console.log(
    `Skipped: this takes Debian’s ${missing.join(', ')}, which ${missing.length === 1 ? 'is' : 'are'} not here.`,
  );
else {
  console.log(`${rounds} rounds, ${cpus().length} cores, Node ${process.versions.node}`);
  const { lines, problems } = reportOn(await run(rounds, values.switchovers ? [] : KILLS, console.log));
  console.log([...lines, `Load of the machine: ${loadavg()[1]?.toFixed(1)}`, ''].join('\n'));
  for (const problem of problems) console.log(`Not as it has to be: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
process.exit();
