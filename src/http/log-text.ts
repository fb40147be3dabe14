/** A line of the log as people read it at a terminal. */
// By hand: pino-pretty would do the same, with 13 packages of its own, for what are these few lines.
import { styleText } from 'node:util';
import { bytesOf } from '../lib/formats.ts';
import type { LoggedError } from '../lib/logged-error.ts';
import { quotable } from '../lib/text.ts';

type Style = Parameters<typeof styleText>[0];

/** https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const LEVELS: Readonly<Record<number, readonly [name: string, style: Style]>> = {
  10: ['TRACE', 'gray'],
  20: ['DEBUG', 'gray'],
  30: ['INFO', 'green'],
  40: ['WARN', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'red'],
};
const STATUS_STYLES: readonly Style[] = ['gray', 'gray', 'green', 'cyan', 'yellow', 'red'];
/** Of a value: a stack has lines of its own. */
const LONGEST = 1_000;

type Line = {
  level: number;
  time: number;
  msg?: string;
  reqId?: string;
  err?: LoggedError;
  [field: string]: unknown;
};
type RequestLine = {
  method?: string;
  route?: string;
  status?: number;
  ms?: number;
  databaseMs?: number;
  bytes?: number;
  actor?: number;
  address?: string;
  aborted?: boolean;
};

export function lineAsText(json: string): string {
  const {
    level,
    time,
    msg = '',
    reqId = '',
    err,
    pid: _pid,
    hostname: _host,
    ...more
  } = JSON.parse(json) as Line;
  const at = new Date(time).toTimeString().slice(0, 8);
  const said = msg === 'request' ? requestOf(more) : saidOf(level, msg, more);
  const line = [dim(at), said, dim(quotable(reqId, LONGEST))].filter(Boolean).join(' ');
  return `${[line, ...stackOf(err)].join('\n')}\n`;
}

function requestOf({
  method,
  route,
  status,
  ms,
  databaseMs,
  bytes,
  actor,
  address,
  aborted,
}: RequestLine): string {
  const style = STATUS_STYLES[Math.floor((status ?? 0) / 100)] ?? 'gray';
  return [
    coloured(style, `${status ?? '–'}`.padEnd(3)),
    `${method ?? '–'} ${route ?? '–'}`,
    ms !== undefined && `${ms} ms`,
    databaseMs !== undefined && dim(`(${databaseMs})`),
    bytes !== undefined && bytesOf(bytes),
    actor !== undefined && `#${actor}`,
    address,
    aborted && coloured('yellow', 'aborted'),
  ]
    .filter(Boolean)
    .join(' ');
}

function saidOf(level: number, msg: string, more: Record<string, unknown>): string {
  const [name, style] = LEVELS[level] ?? [String(level), 'gray'];
  const fields = Object.entries(more)
    // An audit line says its event twice.
    .filter(([, value]) => value !== undefined && value !== msg)
    .map(([field, value]) => dim(`${field}=`) + shown(value));
  return [coloured(style, name), quotable(msg, LONGEST), ...fields].join(' ');
}

function shown(value: unknown): string {
  return quotable(typeof value === 'string' ? value : JSON.stringify(value), LONGEST);
}

function stackOf(err: LoggedError | undefined): string[] {
  if (err === undefined) return [];
  const lines = (err.stack || err.message).split('\n').map((line) => `    ${quotable(line.trim(), LONGEST)}`);
  return [...lines, ...stackOf(err.cause)];
}

function dim(text: string): string {
  return text && coloured('dim', text);
}

/** On a terminal alone, and not where the environment says NO_COLOR (https://no-color.org): Node sees to both. */
function coloured(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
