/** What is tried with each proxy that is on this machine; of one that is not, which package of Debian brings it is said. */
import { test } from 'vitest';
import { PROGRAMS, type Program } from './programs.ts';
import { isInstalled } from './start.ts';

/** @param what follows the name of each proxy */
export function withEach(what: string, run: (program: Program) => Promise<void>): void {
  withSome(
    PROGRAMS.map(({ name }) => name),
    what,
    run,
  );
}

/** With some of the proxies only. */
export function withSome(
  names: readonly string[],
  what: string,
  run: (program: Program) => Promise<void>,
): void {
  for (const program of PROGRAMS.filter(({ name }) => names.includes(name)))
    test.skipIf(!isInstalled(program))(`${program.name} ${what}`, () => run(program));
}

export function sayWhoIsMissing(): void {
  for (const program of PROGRAMS.filter((each) => !isInstalled(each)))
    console.warn(`There is no ${program.name} here: Debian’s package ${program.package} brings it.`);
}
