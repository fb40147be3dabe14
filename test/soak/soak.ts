/** Forty people work with one Roster for a while, beside imports, bulk changes, exports and backups. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../src/db/database.ts';
import type { Engine } from '../bench/workspace.ts';
import { actOnce, expectOwn, type World } from './acts.ts';
import { doChores } from './chores.ts';
import { Measured } from './measure.ts';
import { Person } from './person.ts';
import { type Server, startServer } from './server.ts';
import { addPeople, makePlace, type Place, runCommand } from './workspace.ts';

export type Orders = {
  engine: Engine;
  seconds: number;
  /** How many made-up users there are, and how many each file brings. */
  users: number;
  rows: number;
  /** The chores are done so often. */
  rounds: number;
  /** In milliseconds: how long people look at a page, on average. */
  thinking: number;
  /** Whether it is looked at what the program keeps: everybody pauses once for that. */
  looksAtKept: boolean;
  /** Of the Roster, and of its commands, besides those that it takes. */
  settings?: Record<string, string>;
};

/** So many faults are said at once, so that nobody waits for the end to see them. */
const MOST_SAID = 20;
const SAMPLE_EVERY = 10_000;
/** In milliseconds: so long after the beginning of a break nobody waits for an answer. */
const LONGEST_ACT = 5_000;

export async function soak(orders: Orders, say: (line: string) => void = () => {}): Promise<Measured> {
  const place = await makePlace(orders.engine, orders.settings);
  try {
    const someone = await addPeople(place, orders.users);
    const measured = new Measured();
    const fault = (what: string) => {
      measured.fault(what);
      if (measured.faults.length <= MOST_SAID) say(`Not as it has to be: ${what}`);
    };
    const server = await startServer(place.settings, fault);
    const timed = measured.answered.bind(measured);
    const people = someone.map((user) => new Person(user, server.origin, timed));
    await work(people, { orders, place, server, measured, say, fault });
    if (orders.looksAtKept) measured.kept.push(await server.kept());
    await server.stop();
    for (const name of place.leftOver()) fault(`left over: ${name}`);
    await runCommand(['check'], place.settings).catch((error) => fault(`${error}`));
    return measured;
  } finally {
    await place.close();
  }
}

/** While there is something to wait for. */
type Break = { over: Promise<void> | undefined };

type Run = {
  orders: Orders;
  place: Place;
  server: Server;
  measured: Measured;
  say: (line: string) => void;
  fault: (what: string) => void;
};

async function work(all: readonly Person[], run: Run): Promise<void> {
  const { orders, measured, place, server, fault } = run;
  measured.begin();
  const end = orders.seconds * 1000;
  const isOver = () => measured.now >= end;
  const orFault = (work: Promise<unknown>) => work.catch((error) => fault(`${error}`));
  const people = all.slice(0, -1);
  const givenUp = () => void measured.givenUp++;
  const world: World = { people, users: orders.users, givenUp };
  const breaks: Break = { over: undefined };
  const person = async (one: Person, index: number) => {
    // Not all at once: of very many who sign in at the same moment some are asked to come back.
    await sleep((index * orders.thinking) / 5);
    await orFault(one.signIn());
    while (!isOver()) {
      await breaks.over;
      await orFault(actOnce(one, world));
      await sleep(2 * orders.thinking * Math.random());
    }
    await orFault(expectOwn(one));
  };
  const sampling = async () => {
    for (let next = 0; !isOver(); next += SAMPLE_EVERY) {
      await sleep(Math.max(0, Math.min(next, end) - measured.now));
      await measured.sample(server, place);
    }
  };
  await Promise.all([
    ...people.map(person),
    orFault(sampling()),
    orFault(chores(all.at(-1) as Person, run, breaks)),
  ]);
  for (const one of all) one.close();
}

/** Each round of them begins when it is time for it, or when the one before is over. */
async function chores(person: Person, run: Run, breaks: Break): Promise<void> {
  const { orders, measured, place, server, say, fault } = run;
  const every = (orders.seconds * 1000) / orders.rounds;
  await person.signIn();
  for (let round = 0; round < orders.rounds; round++) {
    const doRound = async () => {
      await doChores(person, round, orders.rows);
      await runCommand(['backup', place.backups, '--keep', '2'], place.settings);
    };
    await sleep(Math.max(0, round * every - measured.now));
    await doRound().catch((error) => fault(`${error}`));
    const { file } = await place.sizes();
    const changes = await countChanges(place);
    measured.rests.push({ at: measured.now, heap: await server.heap(true), changes, file });
    if (orders.looksAtKept && round === Math.ceil(orders.rounds / 3)) await lookAtKept(run, breaks);
    say(
      `round ${round + 1} of ${orders.rounds}, ${measured.answers.length} answers, ${measured.faults.length} faults`,
    );
  }
}

/** While nobody asks for anything: for so long nobody is answered. */
async function lookAtKept({ measured, server }: Run, breaks: Break): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  breaks.over = promise;
  await sleep(LONGEST_ACT);
  measured.kept.push(await server.kept().finally(resolve));
  breaks.over = undefined;
}

async function countChanges({ settings }: Place): Promise<number> {
  const db = await openDatabase(String(settings.DATABASE_URL), { connections: 1 });
  const { count } = await db
    .selectFrom('changes')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  await db.destroy();
  return count;
}
