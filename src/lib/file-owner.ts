/** Whose a file is that a command makes for a Roster which runs as another user. */
import { lchownSync, statSync } from 'node:fs';
import { ignoreErrors } from './make-file.ts';

/** Root's would be closed to that Roster. Some file systems know of no owners. */
export function copyOwner(path: string, of: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(of);
  ignoreErrors(['EPERM', 'EINVAL', 'ENOTSUP'], () => lchownSync(path, uid, gid));
}
