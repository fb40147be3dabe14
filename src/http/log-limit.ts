/** A limit to the log: in an outage every request fails for the same reason, and one line a second says so as well. */
import type { FastifyServerOptions } from 'fastify';

type LogMethod = NonNullable<
  NonNullable<Extract<FastifyServerOptions['logger'], object>['hooks']>['logMethod']
>;
type Fields = { err?: Error };
type LeftOut = { count: number; requests: string[]; last?: (fields: object) => void };

/** https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const WARN = 40;
/** The least time between two lines of a kind, in milliseconds. */
const INTERVAL = 1_000;
/** Of so many requests at most a line names those that it stands for. */
const MOST_REQUESTS = 200;

/**
 * Of the lines from warnings on that have one kind (level, message and error), writes the first at once, and then the
 * last one of each second, with the number of those left out and the ids of their requests.
 */
export function limitLog(interval = INTERVAL): LogMethod {
  const kinds = new Map<string, LeftOut>();

  const begin = (kind: string) => {
    kinds.set(kind, { count: 0, requests: [] });
    setTimeout(goOn, interval, kind).unref();
  };
  const goOn = (kind: string) => {
    const { count = 0, requests, last } = kinds.get(kind) ?? {};
    kinds.delete(kind);
    if (!last) return;
    begin(kind);
    last(count > 1 ? { leftOut: count - 1, leftOutReqIds: requests?.slice(0, -1) } : {});
  };

  return function limited(args, method, level) {
    if (level < WARN) return method.apply(this, args);
    const [first, ...rest] = args as unknown as [string | Error | Fields, ...string[]];
    const isText = typeof first === 'string';
    const fields = isText ? {} : first instanceof Error ? { err: first } : first;
    const texts = isText ? [first, ...rest] : rest;
    const kind = [level, texts[0], fields.err?.name, fields.err?.message].join('\n');
    const leftOut = kinds.get(kind);
    if (!leftOut) {
      begin(kind);
      return method.apply(this, args);
    }
    const { reqId } = this.bindings();
    leftOut.count++;
    if (reqId && leftOut.requests.length <= MOST_REQUESTS) leftOut.requests.push(reqId);
    leftOut.last = (more) => method.call(this, { ...fields, ...more }, ...texts);
  };
}
