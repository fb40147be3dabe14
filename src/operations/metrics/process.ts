/** The process itself, by the names that all have for it (https://prometheus.io/docs/instrumenting/writing_clientlibs/). */
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { MIGRATIONS } from '../../db/migration-list.ts';
import { VERSION } from '../../maintenance/version.ts';
import { counter, type Family, gauge } from './families.ts';
import { Histogram, histogram } from './histogram.ts';

const LOOK_EVERY_MS = 20;
const BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

export function watchProcess(app: FastifyInstance): () => Family[] {
  const delay = watchEventLoop(app);
  const build = { version: VERSION, node: process.versions.node, schema: `${MIGRATIONS.length}` };
  const mostFiles = readMostFiles();

  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapTotal } = process.memoryUsage();
    return [
      gauge('roster_build_info', 'Which Roster this is, and the version of its database.', [
        { value: 1, labels: build },
      ]),
      histogram('roster_event_loop_delay_seconds', 'How late the event loop was.', delay.samples()),
      counter('process_cpu_seconds_total', 'Time of a core, of all threads.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Memory that is in use.', rss),
      gauge('process_heap_bytes', 'Memory of JavaScript.', heapTotal),
      gauge('process_start_time_seconds', 'When it was started.', performance.timeOrigin / 1_000),
      gauge('process_open_fds', 'Files and connections that are open.', countFiles()),
      gauge('process_max_fds', 'How many files and connections may be open.', mostFiles),
    ];
  };
}

/** By a timer of our own: Node’s histogram has no buckets, and what is read of it and then reset is lost to whoever else asks. */
function watchEventLoop(app: FastifyInstance): Histogram {
  const delay = new Histogram(BUCKETS_SECONDS);
  let due = performance.now() + LOOK_EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - due) / 1_000);
    due = now + LOOK_EVERY_MS;
  }, LOOK_EVERY_MS).unref();
  app.addHook('onClose', async () => clearInterval(timer));
  return delay;
}

function countFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function readMostFiles(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1]) || undefined;
  } catch {
    return undefined;
  }
}
