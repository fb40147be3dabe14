/** What runs in the thread of jobs: with connections of its own. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openBeside } from '../db/database.ts';
import { noteNumbersAhead } from '../erasure/numbers-ahead.ts';
import { loggedError } from '../lib/logged-error.ts';
import type { Order, Report, Settings } from './jobs-thread.ts';
import { workOf } from './work.ts';

const port = parentPort as MessagePort;
const { databaseUrl, importFolder, ledger } = workerData as Settings;
const db = await openBeside(databaseUrl);
let isEnding = false;
const say = (report: Report) => port.postMessage(report);
// What an error may hold besides is not always to be sent.
const warn = (what: string, error: unknown) => say({ kind: 'warn', what, error: loggedError(error) });
noteNumbersAhead(db, ledger, (error) => warn('noting the last numbers', error));
const run = workOf(
  {
    db,
    importFolder,
    clock: Date.now,
    stopwatch: () => performance.now(),
    note: (...note) => say({ kind: 'note', note }),
    warn,
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
