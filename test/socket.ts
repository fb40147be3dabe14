/** A listening socket that outlives the Rosters that are given it one after the other, as systemd does it for a service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { keyOf } from './roster.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.js');
/** The shell holds the socket as descriptor 3, and does not take what comes there. */
const KEEP_STARTING =
  'while :; do "$0" -c \'echo "process $$"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"\' "$@"; done';

/** Rosters with these settings, of which the next is started once the one before has ended. */
export async function startOnSocket(settings: Record<string, string>) {
  const opener = createServer().listen(0, '127.0.0.1');
  await once(opener, 'listening');
  const { port } = opener.address() as AddressInfo;
  const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
  const shell = spawn('sh', ['-c', KEEP_STARTING, 'sh', process.execPath, MAIN], {
    env: { PATH: process.env.PATH, ...keyOf(settings), ...settings },
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  opener.close();
  let out = '';
  shell.stdout?.setEncoding('utf8').on('data', (data) => {
    out += data;
    shell.emit('said');
  });
  const last = () => Number(out.match(/(?<=^process )\d+/gm)?.at(-1));
  onTestFinished(() => {
    shell.kill('SIGKILL');
    process.kill(last(), 'SIGKILL');
  });
  const started = async (count: number) => {
    while ((out.match(/^Roster is at /gm)?.length ?? 0) < count) await once(shell, 'said');
  };
  await started(1);
  let count = 1;
  return {
    address: `http://127.0.0.1:${port}`,
    said: () => out,
    /** Has the one that runs stop, and waits until the next one listens. */
    async restart(): Promise<void> {
      process.kill(last(), 'SIGTERM');
      await started(++count);
    },
  };
}
