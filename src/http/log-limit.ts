/** A limit to the log: in an outage every request fails for the same reason, and one line a second says so as well. */
import type { FastifyInstance, FastifyServerOptions } from 'fastify';

type LogMethod = NonNullable<
  NonNullable<Extract<FastifyServerOptions['logger'], object>['hooks']>['logMethod']
>;
type Fields = { err?: Error; reqId?: string };

type Line = (more: { leftOut?: number; leftOutReqIds?: readonly string[] }) => void;
type Waiting = { last?: { line: Line; request: string | undefined }; leftOut: number; requests: string[] };

export type Limit = {
  write(kind: string, line: Line, request?: string): void;
  end(): void;
};

/** https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const WARN = 40;
const INTERVAL = 1_000;
/** So many of the requests that it stands for a line names at most: in an outage there are thousands a second. */
const MOST_REQUESTS = 200;

/** The first line of a kind is written at once, then the last one of each second, with the number of those left out. */
export function limitLines(interval = INTERVAL): Limit {
  const kinds = new Map<string, Waiting>();
  let isOver = false;

  const begin = (kind: string) => {
    kinds.set(kind, { leftOut: 0, requests: [] });
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
        line({});
        return;
      }
      if (waiting.last) {
        waiting.leftOut++;
        if (waiting.last.request && waiting.requests.length < MOST_REQUESTS)
          waiting.requests.push(waiting.last.request);
      }
      waiting.last = { line, request };
    },
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
  Object.assign(waiting, { leftOut: 0, requests: [] });
  last?.line({
    ...(leftOut > 0 && { leftOut }),
    ...(requests.length > 0 && { leftOutReqIds: requests }),
  });
}

/** Limits the lines from warnings on; of one kind are those of one level, message and error. */
export function limitLog(limit: Limit): LogMethod {
  return function limited(args, method, level) {
    if (level < WARN) return method.apply(this, args);
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
  app.addHook('onListen', async () => void process.once('exit', limit.end));
  app.addHook('onClose', async () => {
    process.off('exit', limit.end);
    limit.end();
  });
}
