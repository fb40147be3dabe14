/** What runs in the thread of jobs: with connections of its own. */
import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { filePathOf } from '../database-url.ts';
import { openForThread } from '../db/database.ts';
import { reserveIds } from '../erasure/id-reservations.ts';
import { monotonicTime } from '../lib/clock.ts';
import { loggedError } from '../lib/logged-error.ts';
import type { Order, Report, Settings } from './jobs-thread.ts';
import { workOf } from './work.ts';

/** So it is given a third of what those who answer requests are where both want a processor. */
const NICER = 5;

const port = parentPort as MessagePort;
const { databaseUrl, importFolder, ledger } = workerData as Settings;
// On SQLite whoever writes waits for it, and would for longer.
if (filePathOf(databaseUrl) === undefined) letPagesGoFirst();
const db = await openForThread(databaseUrl);
let isEnding = false;
const say = (report: Report) => port.postMessage(report);
// What an error may hold besides is not always to be sent.
const warn = (what: string, error: unknown) => say({ kind: 'warn', what, error: loggedError(error) });
reserveIds(db, ledger, (error) => warn('noting the last numbers', error));
const run = workOf(
  {
    db,
    importFolder,
    clock: Date.now,
    stopwatch: monotonicTime,
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

/** On Linux, where each thread has a priority of its own: https://man7.org/linux/man-pages/man2/setpriority.2.html */
function letPagesGoFirst(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(getPriority(thread) + NICER, constants.priority.PRIORITY_LOW));
  } catch {
    // Elsewhere all threads of a process go together, and pages wait a little longer.
  }
}
