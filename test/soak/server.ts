/** The Roster that is worked with: a process of its own, whose heap can be asked for through Node's inspector. */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runNode, stop } from '../bench/processes.ts';
import { freePort } from '../free-port.ts';
import { START } from '../npm-start.ts';
import { keptBy } from './heap-snapshot.ts';
import { inspect } from './inspector.ts';

export type Server = {
  origin: string;
  pid: number;
  /** Megabytes in use on the thread that answers, as they are or once what nobody needs is collected. */
  heap(isCollected?: boolean): Promise<number>;
  /** Megabytes that the program keeps; nobody is answered meanwhile. */
  kept(): Promise<number>;
  stop(): Promise<void>;
};

/** What pino calls an error: https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const ERROR = 50;

/** @param fault is told of errors in its log, and of an end that nobody has asked for */
export async function startServer(
  settings: Record<string, string>,
  fault: (what: string) => void,
): Promise<Server> {
  const inspector = await freePort();
  const flags = [`--inspect=127.0.0.1:${inspector}`, '--inspect-publish-uid=http'];
  const where = { HOST: '127.0.0.1', PORT: '0' };
  const child = runNode([...flags, ...START.args], { ...where, ...START.env, ...settings });
  const { promise: origin, resolve, reject } = Promise.withResolvers<string>();
  let isStopped = false;
  child.once('exit', (code, signal) => {
    if (!isStopped || code !== 0) fault(`Roster has ended: ${code ?? signal}`);
    reject(new Error('Roster does not start.'));
  });
  createInterface(child.stdout).on('line', (line) => {
    const [, address] = / is at (http:\S+)$/.exec(line) ?? [];
    if (address !== undefined) resolve(address);
    else if (line.startsWith('{') && JSON.parse(line).level >= ERROR) fault(line);
  });
  await origin;
  const inspected = await inspect(inspector);
  const { ask, close } = inspected;
  return {
    origin: await origin,
    pid: child.pid ?? 0,
    async heap(isCollected = false) {
      if (isCollected) await ask('HeapProfiler.collectGarbage');
      return (await ask<{ usedSize: number }>('Runtime.getHeapUsage')).usedSize / 1e6;
    },
    kept: () => keptBy(inspected, join(String(settings.TMPDIR), 'heap')),
    async stop() {
      isStopped = true;
      close();
      await stop(child);
    },
  };
}
