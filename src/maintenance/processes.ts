/** Which processes have a file open, as far as this one may see. */
import { readdir, readlink } from 'node:fs/promises';
import { whereLies } from '../lib/make-file.ts';

/** Of the same user, or of any for root; undefined where the system does not tell: https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html */
export async function findProcesses(path: string): Promise<number[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const real = whereLies(path);
  const found: number[] = [];
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  // One after the other: whoever signs in meanwhile waits for the same threads.
  for (const pid of pids) if ((await openIn(pid)).includes(real)) found.push(pid);
  return found;
}

async function openIn(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  return Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
}
