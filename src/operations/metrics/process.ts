/** The process itself, by the names that all have for it (https://prometheus.io/docs/instrumenting/writing_clientlibs/). */
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { MIGRATIONS } from '../../db/database.ts';
import { VERSION } from '../../maintenance/version.ts';
import { counter, type Family, gauge } from './families.ts';

/** In milliseconds: what is measured has it on top. */
const RESOLUTION = 20;

export function watchProcess(app: FastifyInstance): () => Family[] {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  // It would keep the process from ending.
  app.addHook('onClose', async () => void delay.disable());
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1_000);
  const build = { version: VERSION, node: process.versions.node, schema: `${MIGRATIONS.length}` };
  const mostFiles = readMostFiles();

  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapTotal } = process.memoryUsage();
    const [middle, high, longest] = [delay.percentile(50), delay.percentile(99), delay.max];
    delay.reset();
    return [
      gauge('roster_build_info', 'Which Roster this is, and the version of its database.', [
        { value: 1, labels: build },
      ]),
      gauge('roster_event_loop_delay_p50_seconds', `${DELAY} Half of the time.`, seconds(middle)),
      gauge('roster_event_loop_delay_p99_seconds', `${DELAY} All but a hundredth.`, seconds(high)),
      gauge('roster_event_loop_delay_max_seconds', `${DELAY} At most.`, seconds(longest)),
      counter('process_cpu_seconds_total', 'Time of a core, of all threads.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Memory that is in use.', rss),
      gauge('process_heap_bytes', 'Memory of JavaScript.', heapTotal),
      gauge('process_start_time_seconds', 'When it was started.', performance.timeOrigin / 1_000),
      gauge('process_open_fds', 'Files and connections that are open.', countFiles()),
      gauge('process_max_fds', 'How many files and connections may be open.', mostFiles),
    ];
  };
}

const DELAY = 'How late the event loop was since the scrape before.';

/** Undefined where there is no `/proc`. */
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
