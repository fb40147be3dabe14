/** What the database takes, and what is waited for before it. */
import type { FastifyInstance } from 'fastify';
import { timingOf } from '../../db/engine.ts';
import type { Part } from '../../db/timing.ts';
import type { Family } from './families.ts';
import { Histogram, histogram, samplesBy } from './histogram.ts';

const BUCKETS_SECONDS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const SIZES = [1, 2, 4, 8, 16, 32, 64];

/** Without what the thread of jobs does, which has connections of its own. */
export function watchDatabaseTime(app: FastifyInstance): () => Family[] {
  const make = () => new Histogram(BUCKETS_SECONDS);
  const parts: Record<Part, Histogram> = { statement: make(), commit: make(), pool: make(), lock: make() };
  const groups = new Histogram(SIZES);
  const stop = timingOf(app.db).observe({
    onPart: (part, milliseconds) => parts[part].observe(milliseconds / 1_000),
    onGroup: (size) => groups.observe(size),
  });
  app.addHook('onClose', async () => stop());
  const { statement, commit, pool, lock } = parts;

  return () => [
    histogram('roster_database_statement_seconds', 'How long statements took.', statement.samples()),
    histogram('roster_database_commit_seconds', 'How long it took to save.', commit.samples()),
    histogram(
      'roster_database_wait_seconds',
      'How long was waited for a connection (pool, PostgreSQL) or to write (lock, SQLite).',
      samplesBy('for', { pool, lock }),
    ),
    histogram(
      'roster_database_group_size',
      'How many transactions were synced to the disk as one (SQLite).',
      groups.samples(),
    ),
  ];
}
