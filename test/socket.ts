/** A listening socket that outlives the Rosters that are given it one after the other, as systemd does it for a service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { keyOf, unyielding } from './roster.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.js');
/** The shell holds the socket as descriptor 3, does not take what comes there, and starts a Roster for each line that it reads. */
const START_EACH = `
  while read -r _; do
    "$0" -c 'echo "process $$"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"' "$@" </dev/null 2>&1
    echo ended
  done`;

/** Rosters with these settings, of which the first is started. */
export async function startOnSocket(
  settings: Record<string, string>,
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
) {
  const opener = createServer().listen(where);
  await once(opener, 'listening');
  const { port } = opener.address() as AddressInfo;
  const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
  const shell = spawn('sh', ['-c', START_EACH, 'sh', process.execPath, MAIN], {
    env: { PATH: process.env.PATH, ...keyOf(settings), ...unyielding(settings) },
    stdio: ['pipe', 'pipe', 'inherit', fd],
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
    if (!out.endsWith('ended\n')) process.kill(last(), 'SIGKILL');
  });
  const steps = () => out.match(/^(Roster is at |ended$)/gm)?.length ?? 0;
  const step = async (take: () => void) => {
    const before = steps();
    take();
    while (steps() === before) await once(shell, 'said');
  };
  const start = () => step(() => shell.stdin?.write('\n'));
  const stop = () => step(() => process.kill(last(), 'SIGTERM'));
  await start();
  return {
    address: `http://127.0.0.1:${port}`,
    said: () => out,
    start,
    stop,
    async restart(): Promise<void> {
      await stop();
      await start();
    },
  };
}
