/** What runs in the thread of jobs: with connections of its own. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openBeside } from '../db/database.ts';
import { loggedError } from '../lib/logged-error.ts';
import type { Order, Report, Settings } from './jobs-thread.ts';
import { workOf } from './work.ts';

const port = parentPort as MessagePort;
const { databaseUrl, importFolder } = workerData as Settings;
const db = await openBeside(databaseUrl);
let isEnding = false;
const say = (report: Report) => port.postMessage(report);
const run = workOf(
  {
    db,
    importFolder,
    clock: Date.now,
    stopwatch: () => performance.now(),
    note: (...note) => say({ kind: 'note', note }),
    // What an error may hold besides is not always to be sent.
    warn: (what, error) => say({ kind: 'warn', what, error: loggedError(error) }),
  },
  () => isEnding,
);

port.on('message', (order: Order) => void obey(order));

async function obey(order: Order): Promise<void> {
  if (order !== 'end') {
    await run();
    return say({ kind: 'done', order });
  }
  isEnding = true;
  await run();
  await db.destroy();
  port.close();
}
