/** Why something could not be written or read, in words that may stand on a page. */
import { DatabaseFailure } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EFBIG: 'its disk takes no larger file',
  EROFS: 'its disk is read-only',
  EACCES: 'the user who runs Roster has no right to it',
  EPERM: 'the user who runs Roster has no right to it',
  EIO: 'its disk reports an error',
};

/** Undefined where they would tell of the inside. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof DatabaseFailure ? error.reason : diskReasonOf(error);
}

export function diskReasonOf(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as NodeJS.ErrnoException;
  return REASONS[code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? ''];
}
