/** A limit to the log: in an outage every request fails for the same reason, and one line a second says so as well. */
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { isWritten, LEVELS, type Level } from './log-levels.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The request whose line was written just now, if whoever looks for it in the log finds it there. */
    idInLog(request: string, level: Level): string | undefined;
  }
}

type LogMethod = NonNullable<
  NonNullable<Extract<FastifyServerOptions['logger'], object>['hooks']>['logMethod']
>;
type Fields = { err?: Error; reqId?: string };

type Line = (more: { leftOut?: number; leftOutReqIds?: readonly string[] }) => void;
type Named = { line: Line; request: string | undefined; isNamed: boolean };
type Waiting = { last?: Named; leftOut: number; requests: string[]; unnamed: Set<string | undefined> };

export type Limit = {
  write(kind: string, line: Line, request?: string): void;
  /** Asked at once after its line: false where that is one of those that only their number stands for. */
  names(request: string): boolean;
  end(): void;
};

const INTERVAL = 1_000;
/** So many of the requests that it stands for a line names at most: in an outage there are thousands a second. */
const MOST_REQUESTS = 200;

/** The first line of a kind is written at once, then the last one of each second, with the number of those left out. */
export function limitLines(interval = INTERVAL): Limit {
  const kinds = new Map<string, Waiting>();
  let isOver = false;

  const begin = (kind: string) => {
    kinds.set(kind, { leftOut: 0, requests: [], unnamed: new Set() });
    setTimeout(goOn, interval, kind).unref();
  };
  const goOn = (kind: string) => {
    const waiting = kinds.get(kind);
    kinds.delete(kind);
    if (!waiting?.last) return;
    begin(kind);
    release(waiting);
  };

  return {
    write(kind, line, request) {
      const waiting = kinds.get(kind);
      if (!waiting) {
        if (!isOver) begin(kind);
        return line({});
      }
      const { last, requests, unnamed } = waiting;
      if (last) waiting.leftOut++;
      if (last?.request && last.isNamed) requests.push(last.request);
      // Its page is made now, and who is the last of this second nobody knows yet.
      const isNamed = requests.length < MOST_REQUESTS;
      if (!isNamed) unnamed.add(request);
      waiting.last = { line, request, isNamed };
    },
    names: (request) => ![...kinds.values()].some(({ unnamed }) => unnamed.has(request)),
    end() {
      isOver = true;
      const all = [...kinds.values()];
      kinds.clear();
      for (const waiting of all) release(waiting);
    },
  };
}

function release(waiting: Waiting): void {
  const { last, leftOut, requests } = waiting;
  delete waiting.last;
  Object.assign(waiting, { leftOut: 0, requests: [], unnamed: new Set() });
  last?.line({
    ...(leftOut > 0 && { leftOut }),
    ...(requests.length > 0 && { leftOutReqIds: requests }),
  });
}

/** Limits the lines from warnings on; of one kind are those of one level, message and error. */
export function limitLog(limit: Limit): LogMethod {
  return function limited(args, method, level) {
    if (level < LEVELS.warn) return method.apply(this, args);
    const [first, ...rest] = args as unknown as [string | Error | Fields, ...string[]];
    const isText = typeof first === 'string';
    const fields = isText ? {} : first instanceof Error ? { err: first } : first;
    const texts = isText ? [first, ...rest] : rest;
    const kind = [level, texts[0], fields.err?.name, fields.err?.message].join('\n');
    const request = fields.reqId ?? this.bindings().reqId;
    limit.write(kind, (more) => method.call(this, { ...fields, ...more }, ...texts), request);
  };
}

export function addLogLimit(app: FastifyInstance, limit: Limit): void {
  const { logLevel } = app.config;
  app.decorate('idInLog', (request: string, level: Level) => {
    // With "info" each has a line of its own.
    const isThere = isWritten('info', logLevel) || (isWritten(level, logLevel) && limit.names(request));
    return isThere ? request : undefined;
  });
  app.addHook('onListen', async () => void process.once('exit', limit.end));
  app.addHook('onClose', async () => {
    process.off('exit', limit.end);
    limit.end();
  });
}
