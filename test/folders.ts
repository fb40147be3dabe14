/** Where tests have their folders: in memory where there is room, since nothing of a test has to survive a power cut. A bench says where. */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
const ROOM_BYTES = 2 ** 31;

export const FOLDERS = process.env.TEST_FOLDERS ?? (hasRoom(MEMORY) ? MEMORY : tmpdir());

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > ROOM_BYTES;
  } catch {
    // Not every system has one.
    return false;
  }
}
