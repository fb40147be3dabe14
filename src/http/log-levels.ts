/** Which lines of the log are written: https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */

export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** @param least `LOG_LEVEL`; of "silent" nothing is */
export function isWritten(level: Level, least: string): boolean {
  return LEVELS[level] >= (LEVELS[least as keyof typeof LEVELS] ?? Number.POSITIVE_INFINITY);
}
