/** A socket that another program holds: Rosters that take turns at it refuse nobody. */
import { expect, test } from 'vitest';
import { inheritedSocket } from '../../src/operations/inherited-socket.ts';
import { addPerson } from '../people.ts';
import { startOnSocket } from '../socket.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';

const PID = `${process.pid}`;

test('a socket is taken where it was meant for this very process', () => {
  expect(inheritedSocket({ LISTEN_PID: PID, LISTEN_FDS: '1' })).toBe(3);
  expect(inheritedSocket({ LISTEN_PID: '1', LISTEN_FDS: '1' })).toBeUndefined();
  expect(inheritedSocket({})).toBeUndefined();
  expect(() => inheritedSocket({ LISTEN_PID: PID, LISTEN_FDS: '2' })).toThrow(
    'Roster listens at one socket, and was given 2 (LISTEN_FDS).',
  );
});

test('while Roster is started anew, whoever connects waits and is answered', async () => {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  const roster = await startOnSocket({
    DATABASE_URL: url,
    DRAIN_SECONDS: '0',
    ORIGIN: 'https://users.example.org',
    TRUST_PROXY: '127.0.0.1',
  });
  const answers: (number | string)[] = [];
  const ask = async () => {
    // One connection each, as from a proxy that keeps none.
    const headers = { connection: 'close', 'x-forwarded-for': '198.51.100.3' };
    const answer = await fetch(`${roster.address}/sign-in`, { headers }).catch((error) => `${error.cause}`);
    answers.push(typeof answer === 'string' ? answer : answer.status);
  };
  const asking: Promise<void>[] = [];
  const timer = setInterval(() => asking.push(ask()), 50);
  await roster.restart();
  await roster.restart();
  clearInterval(timer);
  await Promise.all(asking);
  expect(answers.length).toBeGreaterThan(10);
  expect([...new Set(answers)]).toEqual([200]);
});
