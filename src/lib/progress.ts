/** How far a long command has come, said now and then on standard output; and how it hears what happens meanwhile. */
import { setImmediate } from 'node:timers/promises';
import { number } from './formats.ts';

export type Progress = (done: number) => void;

export function reportProgress(what: string, count: number): Progress {
  const started = performance.now();
  return (done) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${number.format(done)} of ${number.format(count)} users ${what}, ${seconds} s`);
  };
}

/** For timers, one of which hears the end of npm: SQLite answers without giving anybody a turn. */
export const letTimersRun: () => Promise<void> = setImmediate;
