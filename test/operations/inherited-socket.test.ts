/** A socket that another program holds: Rosters that take turns at it refuse nobody. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { inheritedSocket } from '../../src/operations/inherited-socket.ts';
import { addPerson } from '../people.ts';
import { startOnSocket } from '../socket.ts';
import { readyUrl, temporaryDatabase, temporaryFolder } from '../support.ts';

const PID = `${process.pid}`;

test('a socket is taken where it was meant for this very process', () => {
  expect(inheritedSocket({ LISTEN_PID: PID, LISTEN_FDS: '1' })).toBe(3);
  expect(inheritedSocket({ LISTEN_PID: '1', LISTEN_FDS: '1' })).toBeUndefined();
  expect(inheritedSocket({})).toBeUndefined();
  expect(() => inheritedSocket({ LISTEN_PID: PID, LISTEN_FDS: '2' })).toThrow(
    'Roster listens at one socket, and was given 2 (LISTEN_FDS).',
  );
});

async function settings(): Promise<Record<string, string>> {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  return {
    DATABASE_URL: url,
    DRAIN_SECONDS: '0',
    ORIGIN: 'https://users.example.org',
    TRUST_PROXY: '127.0.0.1',
  };
}

test('while Roster is started anew, whoever connects waits and is answered', async () => {
  const roster = await startOnSocket(await settings());
  for (const _ of ['once', 'twice']) {
    await roster.stop();
    const socket = connect(Number(new URL(roster.address).port), '127.0.0.1');
    const answer = text(socket);
    await once(socket, 'connect');
    socket.write(
      'GET /sign-in HTTP/1.1\r\nHost: users.example.org\r\nX-Forwarded-For: 198.51.100.3\r\nConnection: close\r\n\r\n',
    );
    await roster.start();
    expect(await answer).toMatch(/^HTTP\/1.1 200 /);
  }
});

test('a socket of files is refused in one sentence, for nobody has an address there', async () => {
  const { said } = await startOnSocket(await settings(), { path: join(temporaryFolder(), 'roster.sock') });
  expect(said()).toMatch(
    /^process \d+\nRoster listens at an address of the network, and was given a socket of files \(LISTEN_FDS\), where nobody has one: .*“ListenStream=127\.0\.0\.1:3000”\.\nended\n$/,
  );
});
