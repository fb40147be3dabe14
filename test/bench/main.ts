/** `npm run bench`: Roster beside a server that only answers, one written by hand and one of Express; no time is ever asserted. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Answer, askBoth } from './answers.ts';
import { askQueries } from './asked.ts';
import { CONNECTIONS } from './connections.ts';
import { measureCounter } from './counter.ts';
import { limitsOf } from './limits.ts';
import { measureLoads, percentile } from './load.ts';
import { FEWEST_USERS } from './namesakes.ts';
import { measureNotModified } from './not-modified.ts';
import { measureOneCreate } from './one-create.ts';
import { keepOn } from './processes.ts';
import { print, type Result } from './report.ts';
import { FEWEST_ON_PAGES, scenariosOf } from './scenarios.ts';
import { type PerServer, perServer, SERVERS, type Server, start } from './servers.ts';
import { measureSignIns } from './sign-ins.ts';
import { type Engine, engineNamed, makeWorkspace, type Workspace } from './workspace.ts';

/** How often each server is started to see when its first page comes. */
const STARTS = 5;

async function bench(): Promise<void> {
  const { users, seconds, database } = readOptions();
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} cores, ${CONNECTIONS} connections, ${database}`,
  );
  const workspace = await makeWorkspace(users, database);
  const limits = limitsOf(users, database);
  const roster = await start('Roster', workspace);
  // Before anything is written, when every list is as it was seeded.
  console.log('Measuring: named queries');
  const asked = users < FEWEST_USERS ? undefined : await askQueries(roster.origin, users, limits);
  console.log('Measuring: signing in');
  const signIns = await measureSignIns(roster.origin);
  console.log('Measuring: pages that still hold');
  const notModified = await measureNotModified(roster, seconds);
  const { results, resident } = await measureScenarios(workspace, roster, users, seconds);
  const firstPage = await measureStarts(workspace);
  const counter =
    database === 'postgres' ? await measureCounter(workspace.databases.Roster, seconds) : undefined;
  const oneCreate = await measureOneCreate(workspace.databases.Roster, workspace.folder);
  const { seedTime } = workspace;
  await workspace.close();
  print({
    database,
    users,
    seedTime,
    limits,
    results,
    asked,
    signIns,
    notModified,
    oneCreate,
    firstPage,
    resident,
    counter,
  });
}

function readOptions(): { users: number; seconds: number; database: Engine } {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '5' },
      database: { type: 'string', default: 'sqlite' },
    },
  });
  const database = engineNamed(values.database);
  const [users, seconds] = [Number(values.users), Number(values.seconds)];
  if (!Number.isInteger(users) || users < FEWEST_ON_PAGES)
    throw new Error(`--users must be a whole number from ${FEWEST_ON_PAGES} on.`);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds must be a number from 1 to 600.');
  return { users, seconds, database };
}

/**
 * Each scenario in turn on each server; two cores hold one busy server and what drives it, so the others wait. Then all
 * of them end.
 */
async function measureScenarios(workspace: Workspace, roster: Server, users: number, seconds: number) {
  const handWritten = await start('hand-written', workspace);
  const express = await start('Express', workspace);
  const lasting = [handWritten, express, roster];
  const isApart = keepOn('0') && lasting.every((server) => server.keepOn('1'));
  console.log(
    isApart ? 'Driven from the first core, served on the second' : 'Driver and servers share the cores',
  );
  const resident = perServer(() => 0);
  const answers: [address: string, answer: Answer][] = [];
  const results: Result[] = [];
  for (const scenario of scenariosOf(users)) {
    console.log(`Measuring: ${scenario.name}`);
    answers.push(...(await askBoth(scenario.examples, handWritten, roster)));
    workspace.writeAnswers(answers);
    const bare = await start('bare', workspace);
    if (isApart) bare.keepOn('1');
    const servers = { bare, 'hand-written': handWritten, Express: express, Roster: roster };
    results.push({ scenario, loads: await measureLoads(servers, scenario, seconds) });
    resident.bare = Math.max(resident.bare, bare.resident());
    await bare.stop();
  }
  resident['hand-written'] = handWritten.resident();
  resident.Express = express.resident();
  resident.Roster = roster.resident();
  await Promise.all(lasting.map((server) => server.stop()));
  if (isApart) keepOn(`0-${availableParallelism() - 1}`);
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
