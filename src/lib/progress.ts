/** How far a long command has come, said now and then on standard output; and how it hears what happens meanwhile. */
import { setImmediate } from 'node:timers/promises';

export type Progress = (done: number) => void;

/** Says how many of `count` users have been, for example, "added", and in what time. */
export function reportProgress(what: string, count: number): Progress {
  const started = performance.now();
  return (done) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${done.toLocaleString('en')} of ${count.toLocaleString('en')} users ${what}, ${seconds} s`);
  };
}

/** Lets timers have their turn, one of which hears the end of npm: SQLite answers without leaving one to anybody. */
export const giveWay: () => Promise<void> = setImmediate;
