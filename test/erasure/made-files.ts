/** The path of every file that is made while a test runs, also of those that are gone a moment later, as after a kill they are not. */
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import Sqlite from 'better-sqlite3';
import { onTestFinished } from 'vitest';

type Call = (...given: unknown[]) => unknown;
type Holder = Record<string, Call>;

/** Which of the arguments is the path; where a file may be opened to be read as well, the second says. */
const PATH_OF: Readonly<Record<string, number>> = {
  mkdirSync: 0,
  openSync: 0,
  open: 0,
  writeFileSync: 0,
  writeFile: 0,
  appendFileSync: 0,
  copyFileSync: 1,
  copyFile: 1,
  linkSync: 1,
  renameSync: 1,
  rename: 1,
};

/** @returns the paths so far; `refuseLinks`: as a file system without hard links does from then on */
export function recordFiles() {
  const paths = new Set<string>();
  let areLinksRefused = false;
  const note = (path: unknown) => void (typeof path === 'string' && paths.add(path));
  const undo: (() => void)[] = [];
  const wrap = (holder: Holder, name: string, wrapped: (original: Call) => Call) => {
    const original = holder[name];
    if (original === undefined) return;
    holder[name] = wrapped(original);
    undo.push(() => {
      holder[name] = original;
    });
  };
  for (const holder of [fs, fsPromises] as unknown as Holder[])
    for (const [name, index] of Object.entries(PATH_OF))
      wrap(holder, name, (original) => (...given) => {
        if (areLinksRefused && name === 'linkSync')
          throw Object.assign(new Error('no links'), { code: 'EPERM' });
        if (!name.startsWith('open') || /[wa]/.test(String(given[1]))) note(given[index]);
        return original(...given);
      });
  wrap(fs as unknown as Holder, 'mkdtempSync', (original) => (...given) => {
    const path = original(...given);
    note(path);
    return path;
  });
  for (const name of ['exec', 'pragma', 'prepare'])
    wrap(
      Sqlite.prototype as unknown as Holder,
      name,
      (original) =>
        function (this: Sqlite.Database, ...given) {
          if (!this.memory) for (const part of ['', '-journal']) note(this.name + part);
          for (const part of ['-wal', '-shm']) if (fs.existsSync(this.name + part)) note(this.name + part);
          return original.apply(this, given);
        },
    );
  syncBuiltinESMExports();
  onTestFinished(() => {
    for (const put of undo) put();
    syncBuiltinESMExports();
  });
  const refuseLinks = () => {
    areLinksRefused = true;
  };
  return { paths, refuseLinks };
}
