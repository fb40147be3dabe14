/** Whether pages can be answered and changes saved: found out by doing both, once in a while and when someone asks. */
import type { FastifyBaseLogger } from 'fastify';
import { writeHeartbeat } from '../db/heartbeat.ts';
import type { Db } from '../db/schema.ts';
import { DatabaseFailure } from '../errors.ts';
import { cacheFor } from '../lib/ttl-cache.ts';
import { countByStatus } from '../users/counts.ts';

const TTL_MS = 3_000;
/** Whoever checks on health seldom waits for more than two seconds. */
const TIMEOUT_MS = 1_800;
const SILENT: Problem = { sentence: 'the database does not answer' };

type Problem = { sentence: string; err?: unknown };

export function watchReadiness(db: Db, log: FastifyBaseLogger): () => Promise<string | undefined> {
  const look = cacheFor(() => findProblem(db), { ttl: TTL_MS, timeout: TIMEOUT_MS, fallback: SILENT });
  let lastNoted: string | undefined;
  return async () => {
    const problem = await look();
    note(problem);
    return problem?.sentence;
  };

  function note(problem: Problem | undefined): void {
    if (problem?.sentence === lastNoted) return;
    lastNoted = problem?.sentence;
    if (problem) log.error({ err: problem.err }, `not ready: ${problem.sentence}`);
    else log.warn('ready again');
  }
}

async function findProblem(db: Db): Promise<Problem | undefined> {
  try {
    await countByStatus(db);
  } catch (err) {
    return { sentence: because('read', err) ?? SILENT.sentence, err };
  }
  try {
    await writeHeartbeat(db);
  } catch (err) {
    return { sentence: because('written', err) ?? 'the database cannot be written', err };
  }
  return undefined;
}

function because(what: string, error: unknown): string | undefined {
  const reason = error instanceof DatabaseFailure ? error.reason : undefined;
  return reason && `the database cannot be ${what}: ${reason}`;
}
