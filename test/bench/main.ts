/** `npm run bench`: Roster beside a server that only answers and one written by hand; no time is ever asserted. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Answer, askBoth } from './answers.ts';
import { CONNECTIONS } from './connections.ts';
import { measureCounter } from './counter.ts';
import { measureLoads, percentile } from './load.ts';
import { measurePages, type PageTimes } from './pages.ts';
import { print, type Result } from './report.ts';
import { scenariosOf } from './scenarios.ts';
import { type PerServer, perServer, SERVERS, start } from './servers.ts';
import { type Engine, makeWorkspace, type Workspace } from './workspace.ts';

/** How often each server is started to see when its first page comes. */
const STARTS = 5;

async function bench(): Promise<void> {
  const { users, seconds, database } = readOptions();
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} cores, ${CONNECTIONS} connections, ${database}`,
  );
  const workspace = await makeWorkspace(users, database);
  const pages = await measureLists(workspace);
  const { results, resident } = await measureScenarios(workspace, users, seconds);
  const firstPage = await measureStarts(workspace);
  const counter =
    database === 'postgres' ? await measureCounter(workspace.databases.Roster, seconds) : undefined;
  await workspace.close();
  print({ database, results, pages, firstPage, resident, counter });
}

function readOptions(): { users: number; seconds: number; database: Engine } {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '5' },
      database: { type: 'string', default: 'sqlite' },
    },
  });
  const { database } = values;
  if (database !== 'sqlite' && database !== 'postgres')
    throw new Error('--database must be sqlite or postgres.');
  const [users, seconds] = [Number(values.users), Number(values.seconds)];
  if (!Number.isInteger(users) || users < 1000)
    throw new Error('--users must be a whole number from 1000 on.');
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds must be a number from 1 to 600.');
  return { users, seconds, database };
}

/** Before anything is written, when every list is as it was seeded. */
async function measureLists(workspace: Workspace): Promise<PageTimes[]> {
  console.log('Measuring: every order and status');
  const roster = await start('Roster', workspace);
  const pages = await measurePages(roster.origin);
  await roster.stop();
  return pages;
}

/** Each scenario in turn on each server; two cores hold one busy server and what drives it, so the others wait. */
async function measureScenarios(workspace: Workspace, users: number, seconds: number) {
  const handWritten = await start('hand-written', workspace);
  const roster = await start('Roster', workspace);
  const resident = perServer(() => 0);
  const answers: [address: string, answer: Answer][] = [];
  const results: Result[] = [];
  for (const scenario of scenariosOf(users)) {
    console.log(`Measuring: ${scenario.name}`);
    answers.push(...(await askBoth(scenario.examples, handWritten, roster)));
    workspace.writeAnswers(answers);
    const bare = await start('bare', workspace);
    const servers = { bare, 'hand-written': handWritten, Roster: roster };
    results.push({ scenario, loads: await measureLoads(servers, scenario, seconds) });
    resident.bare = Math.max(resident.bare, bare.resident());
    await bare.stop();
  }
  resident['hand-written'] = handWritten.resident();
  resident.Roster = roster.resident();
  await Promise.all([handWritten.stop(), roster.stop()]);
  return { results, resident };
}

/** Milliseconds from starting a process to its first page: the median. */
async function measureStarts(workspace: Workspace): Promise<PerServer<number>> {
  const times = perServer((): number[] => []);
  for (let round = 0; round < STARTS; round++) {
    for (const name of SERVERS) {
      const server = await start(name, workspace);
      times[name].push(server.firstPage);
      await server.stop();
    }
  }
  return perServer((name) => percentile(times[name], 0.5));
}

await bench();
