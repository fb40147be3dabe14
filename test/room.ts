/** A disk with little room. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Whatever asks meanwhile hears that so many bytes are free, and no file can be cloned. */
export async function withRoom<T>(bytes: number, act: () => Promise<T>): Promise<T> {
  const { statfsSync, copyFileSync } = fs;
  fs.statfsSync = (() => ({ bavail: bytes, bsize: 1 })) as unknown as typeof statfsSync;
  fs.copyFileSync = (from, to, mode) => {
    if (mode === fs.constants.COPYFILE_FICLONE_FORCE) throw new Error('ENOTSUP');
    copyFileSync(from, to, mode);
  };
  syncBuiltinESMExports();
  try {
    return await act();
  } finally {
    Object.assign(fs, { statfsSync, copyFileSync });
    syncBuiltinESMExports();
  }
}
