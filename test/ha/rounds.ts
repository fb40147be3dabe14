/** Rounds of a switchover and a kill each, under people who work; and what is there at the end. */
import pg from 'pg';
import { runCommand } from '../soak/workspace.ts';
import { type Fault, SWITCHOVER } from './faults.ts';
import { type Logged, readLogs } from './logs.ts';
import { People, type Wish } from './people.ts';
import { inSeconds, MOST_OF_PAGES } from './report.ts';
import { traceOf } from './trace.ts';
import { startWorld, type World } from './world.ts';

/**
 * Longest waits, in milliseconds, of what people wanted while a fault was there, how many answers failed, and how many of those
 * once all was whole again; `trace`: of a page that took longer than is promised, in lines.
 */
export type Suffered = {
  fault: Fault;
  form: number;
  page: number;
  failed: number;
  failedAfterwards: number;
  trace: string[];
};

export type Outcome = {
  suffered: Suffered[];
  /** Of what must not be: in words. */
  problems: string[];
  acknowledged: number;
  sentAgain: number;
  lost: number;
  twice: number;
  stuck: number;
  ends: number;
  logged: Logged;
};

export async function run(
  rounds: number,
  kills: readonly Fault[],
  say: (line: string) => void,
): Promise<Outcome> {
  const world = await startWorld();
  const problems: string[] = [];
  const people = new People(world.origin, (what) => void problems.push(what));
  const suffered: Suffered[] = [];
  let stuck = 0;
  try {
    await people.begin();
    await people.more();
    for (let round = 0; round < rounds; round++) {
      for (const fault of [SWITCHOVER, kills[round % kills.length] ?? []].flat()) {
        const one = await suffer(fault, world, people);
        suffered.push(one);
        stuck += await countStuck(world);
        say(
          `round ${round + 1}: ${fault.name}: ${inSeconds(one.form)} for a form, ${inSeconds(one.page)} for a page`,
        );
        for (const line of one.trace) say(line);
      }
    }
    await people.stop();
    const ends = world.rosters.reduce((sum, roster) => sum + roster.ends, 0);
    const there = await compare(world, people);
    await runCommand(['check'], world.settings).catch((error) => problems.push(`${error}`));
    const logged = readLogs(logsOf(world));
    return {
      suffered,
      problems,
      acknowledged: people.acknowledged.length,
      sentAgain: people.sentAgain,
      stuck,
      ends,
      logged,
      ...there,
    };
  } finally {
    await world.stop();
  }
}

async function suffer(fault: Fault, world: World, people: People): Promise<Suffered> {
  const since = performance.now();
  const mend = await fault.begin(world);
  await people.more();
  await mend?.();
  await world.untilWhole();
  const failedAfterwards = countFailed(await people.more());
  const wishes = people.wishes.filter(({ to }) => to > since);
  const [form, page] = [longest(wishes, 'form'), longest(wishes, 'page')];
  return {
    fault,
    form: lasted(form),
    page: lasted(page),
    failed: countFailed(wishes),
    failedAfterwards,
    trace: lasted(page) > MOST_OF_PAGES ? traceOf(page, logsOf(world)) : [],
  };
}

/** Of several, as each has had some. */
function longest(wishes: readonly Wish[], of: Wish['kind']): Wish {
  return wishes
    .filter(({ kind }) => kind === of)
    .reduce((one, other) => (lasted(other) > lasted(one) ? other : one));
}

function lasted({ from, to }: Wish): number {
  return to - from;
}

function logsOf({ rosters }: World): string[] {
  return rosters.map(({ log }) => log);
}

function countFailed(wishes: readonly Wish[]): number {
  return wishes.reduce((sum, { tries }) => sum + tries.length - 1, 0);
}

/** Connections that lead, as to the primary, to what is none. */
async function countStuck({ haproxy, patroni }: World): Promise<number> {
  const primary = await patroni.primaryName();
  const connections = await haproxy.connections();
  return [...connections].reduce((sum, [name, count]) => sum + (name === primary ? 0 : count), 0);
}

/** What was acknowledged beside what is there, and what was done more than once: nobody is changed who was created. */
async function compare({ patroni }: World, { acknowledged, refusedAgain }: People) {
  const client = new pg.Client(await patroni.primaryUrl('roster'));
  await client.connect();
  const { rows: users } = await client.query('select username from users');
  const { rows: twice } = await client.query(
    `select user_id from changes join users on users.id = user_id where username like 'user%' group by user_id having count(*) > 1`,
  );
  await client.end();
  const there = new Set(users.map(({ username }) => username));
  const lost = acknowledged.filter((username) => !there.has(username)).length;
  return { lost, twice: twice.length + refusedAgain.length };
}
