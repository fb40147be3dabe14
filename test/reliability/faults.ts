/** A Roster on SQLite whose disk fails on demand, by a library that is preloaded, where one can be compiled. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { startRoster } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

const SOURCE = join(import.meta.dirname, 'failing-disk.c');

export type Fault = {
  call: 'write' | 'sync' | 'truncate';
  file: 'db' | '-wal' | '-shm';
  error: 'EIO' | 'EDQUOT' | 'EFBIG' | 'EROFS' | 'EACCES' | 'ENOSPC';
  /** From the how manieth call on. */
  nth: number;
};

/** Compiles the library into a folder that is gone after the test; undefined where that does not work. */
export function compileFaults(): string | undefined {
  const library = join(temporaryFolder(), 'failing-disk.so');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, SOURCE, '-ldl']);
  return process.platform === 'linux' && status === 0 ? library : undefined;
}

/** Starts a Roster whose disk works, and can be made to fail. */
export async function startFailing(library: string, path: string) {
  const control = join(temporaryFolder(), 'control');
  const roster = await startRoster({
    DATABASE_URL: `sqlite:${path}`,
    LOG_LEVEL: 'silent',
    LD_PRELOAD: library,
    FAULT_FILE: path,
    FAULT_CONTROL: control,
  });
  return {
    address: roster.address,
    fail({ call, file, error, nth }: Fault): void {
      writeFileSync(control, `${call} ${file} ${constants.errno[error]} ${nth}\n`);
    },
    mend(): void {
      rmSync(control);
    },
    async kill(): Promise<void> {
      roster.child.kill('SIGKILL');
      await once(roster.child, 'exit');
    },
  };
}
