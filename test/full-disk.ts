/** A disk with little room, and one that takes no file. */
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

/** Whoever opens a file meanwhile, and waits for it, hears that its disk refuses it. @param code as in `EROFS` */
export async function withoutFiles<T>(code: string, act: () => Promise<T>): Promise<T> {
  const { open } = fs.promises;
  fs.promises.open = async () => {
    throw Object.assign(new Error(`${code}: refused, open`), { code, syscall: 'open' });
  };
  syncBuiltinESMExports();
  try {
    return await act();
  } finally {
    fs.promises.open = open;
    syncBuiltinESMExports();
  }
}
