/** `npm run bench`: Roster beside a server that only answers and one written by hand; no time is ever asserted. */
import { parseArgs } from 'node:util';
import { askBoth } from './answers.ts';
import { type Load, measureLoad } from './load.ts';
import { print, type Result } from './report.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';
import { type PerServer, SERVERS, start } from './servers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** Each server is started this many times. */
const STARTS = 5;

const { users, seconds } = readOptions();
const scenarios = scenariosOf(users);
const workspace = await makeWorkspace(users);
const { results, resident } = await measureScenarios();
print(results, { firstPage: await measureStarts(), resident });

function readOptions(): { users: number; seconds: number } {
  const { values } = parseArgs({
    options: { users: { type: 'string', default: '1000000' }, seconds: { type: 'string', default: '5' } },
  });
  const [users, seconds] = [Number(values.users), Number(values.seconds)];
  if (!Number.isInteger(users) || users < 1000) throw new Error('--users is a whole number from 1000 on.');
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds is a number from 1 to 600.');
  return { users, seconds };
}
