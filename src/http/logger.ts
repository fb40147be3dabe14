/** The log: where its lines go and in which form, and what of requests and errors stands in them. */
import { isatty } from 'node:tty';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { LogController } from 'fastify';
import type { Config } from '../config.ts';
import { lineWriter } from '../lib/line-writer.ts';
import { loggedError } from '../lib/logged-error.ts';
import { isWritten, LEVELS } from './log-levels.ts';
import { type Limit, limitLog } from './log-limit.ts';
import { lineAsText } from './log-text.ts';
import { patternOf } from './routing.ts';

const STDOUT = 1;

export function loggerOptions(config: Config, limit: Limit) {
  return {
    logger: {
      level: config.logLevel,
      serializers: { req: requestToLog, err: loggedError },
      hooks: { logMethod: limitLog(limit) },
      stream: { write: writerOf(config) },
    },
    logController: new OwnLines(),
  } satisfies FastifyServerOptions;
}

export type Log = (level: 'info' | 'error', message: string) => void;

export function plainLog(config: Config): Log {
  const write = writerOf(config);
  return (level, message) => {
    if (isWritten(level, config.logLevel)) write(lineOf(LEVELS[level], message));
  };
}

function writerOf({ logFormat }: Config): (line: string) => void {
  const format = logFormat ?? (isatty(STDOUT) ? 'text' : 'json');
  const shown = format === 'text' ? lineAsText : (line: string) => line;
  const { write } = lineWriter(STDOUT, (count) => shown(lineOf(LEVELS.warn, leftOut(count))));
  return (line) => write(shown(line));
}

/** `request-log.ts` says all of a request in one line. */
class OwnLines extends LogController {
  override incomingRequest(): void {}
  override requestCompleted(): void {}
  override streamError(
    err: Error & { code?: string },
    _request: FastifyRequest,
    { log }: FastifyReply,
  ): void {
    if (err.code !== 'ERR_STREAM_PREMATURE_CLOSE') log.warn({ err }, 'an answer ended in its middle');
  }
}

/** Its address may hold a name that was searched for, or a token that lets someone in: the pattern of its route does not. */
function requestToLog(request: FastifyRequest) {
  const { method, address } = request;
  return { method, route: patternOf(request), address };
}

function leftOut(count: number): string {
  return `${count === 1 ? '1 line of the log' : `${count} lines of the log`} could not be written`;
}

function lineOf(level: number, msg: string): string {
  return `${JSON.stringify({ level, time: Date.now(), msg })}\n`;
}
