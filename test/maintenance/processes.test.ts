/** Which processes have a database's file open. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProcesses } from '../../src/maintenance/processes.ts';
import { temporaryFolder } from '../support.ts';

test.skipIf(process.platform !== 'linux')(
  'a process is known for as long as it has the file open, also by a symbolic link',
  async () => {
    const [path, link] = ['roster.db', 'link.db'].map((name) => join(temporaryFolder(), name)) as [
      string,
      string,
    ];
    writeFileSync(path, '');
    symlinkSync(path, link);
    expect(await findProcesses(link)).toEqual([]);
    const file = openSync(path, 'r');
    const other = spawn('cat', { stdio: ['pipe', file, 'ignore'] });
    onTestFinished(() => void other.kill());
    await once(other, 'spawn');
    expect(new Set(await findProcesses(link))).toEqual(new Set([process.pid, other.pid]));
    closeSync(file);
    expect(await findProcesses(link)).toEqual([other.pid]);
    other.stdin?.end();
    await once(other, 'exit');
    expect(await findProcesses(link)).toEqual([]);
  },
);
