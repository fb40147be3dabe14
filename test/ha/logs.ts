/** What Rosters have logged while much failed: warnings and errors. */
import { readFileSync } from 'node:fs';

/** `most`: of one kind within a second, in one log. */
export type Logged = { lines: number; megabytes: number; most: number };

/** https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const WARN = 40;

export type Line = { level: number; time: number; msg: string; err?: { message: string } };

export function readLogs(paths: readonly string[]): Logged {
  const logs = paths.map(read);
  return {
    lines: logs.flatMap(linesOf).length,
    megabytes: logs.reduce((sum, log) => sum + log.length / 1e6, 0),
    most: mostOfAKind(logs),
  };
}

/** Within a second, in one log. */
export function mostOfAKind(logs: readonly string[]): number {
  const kinds = logs.flatMap((log, index) => linesOf(log).map((line) => [index, ...kindOf(line)].join('\n')));
  const counts = Map.groupBy(kinds, (kind) => kind).values();
  return Math.max(0, ...[...counts].map(({ length }) => length));
}

/** Of each warning and error in a log. */
export function readLines(path: string): Line[] {
  return linesOf(read(path));
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** What stands besides is plain text, such as where a Roster is. */
function linesOf(log: string): Line[] {
  const lines: Line[] = (log.match(/^\{.*\}$/gm) ?? []).map((line) => JSON.parse(line));
  return lines.filter(({ level }) => level >= WARN);
}

/** As `http/log-limit.ts` tells them apart, in one second. */
function kindOf({ time, level, msg, err }: Line) {
  return [Math.floor(time / 1_000), level, msg, err?.message];
}
