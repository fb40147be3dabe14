/** What systemd hears of a Roster, by a socket such as it gives its services. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { lack } from '../requirements.ts';
import { startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

/** Node has no datagram sockets; Debian has a Perl. What else comes with a message is let go. */
const LISTENER = `
use IO::Socket::UNIX;
$| = 1;
my $socket = IO::Socket::UNIX->new(Local => $ARGV[0], Type => SOCK_DGRAM) or die $!;
print "listening\\n";
while (defined $socket->recv(my $message, 4096)) { print "$message\\n" }`;

const canListen =
  spawnSync('systemd-notify', ['--version']).status === 0 &&
  spawnSync('perl', ['-MIO::Socket::UNIX', '-e', '1']).status === 0;

/** What is heard, message by message. */
async function listenAt(path: string): Promise<AsyncIterator<string>> {
  const listener = spawn('perl', ['-e', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void listener.kill());
  const messages = createInterface(listener.stdout)[Symbol.asyncIterator]();
  await messages.next();
  return messages;
}

const newDatabase = () => ({ DATABASE_URL: `sqlite:${join(temporaryFolder(), 'roster.db')}` });

test('it is told once Roster answers, and again and again that it lives', async ({ skip }) => {
  if (!canListen) return lack(skip, 'It takes systemd-notify and Perl.');
  const NOTIFY_SOCKET = join(temporaryFolder(), 'notify');
  const messages = await listenAt(NOTIFY_SOCKET);
  const port = await freePort();
  const settings = { ...newDatabase(), PORT: `${port}`, NOTIFY_SOCKET, WATCHDOG_USEC: '300000' };
  const [{ child }, first] = await Promise.all([
    startRoster(settings),
    messages.next().then(async ({ value }) => {
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      return value;
    }),
  ]);
  expect(first).toBe('READY=1');
  const heard: string[] = [];
  while (heard.filter((message) => message === 'WATCHDOG=1').length < 3)
    heard.push((await messages.next()).value);
  // Between them systemd-notify asks whether they were taken.
  expect([...new Set(heard)].toSorted()).toEqual(['BARRIER=1', 'WATCHDOG=1']);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('where it cannot be told, Roster says so, and serves', async () => {
  const settings = { ...newDatabase(), NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere' };
  const { child, address, stderr } = await startRoster(settings);
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await stderr).toMatch(/^Warning: systemd does not know READY=1: .*systemd-notify/);
});

test('where no systemd asks, nothing is said of it', async () => {
  const { child, stderr } = await startRoster({ ...newDatabase(), PATH: '/nowhere' });
  child.kill('SIGTERM');
  expect(await stderr).toBe('');
});
