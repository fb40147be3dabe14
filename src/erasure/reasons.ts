/** Why something could not be written, in words that may stand on a page. */
import { DatabaseFailure } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EROFS: 'its disk is read-only',
  EACCES: 'it may not be written',
  EPERM: 'it may not be written',
};

/** Undefined where they would tell of the inside. */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof DatabaseFailure) return error.reason;
  const { code, cause } = error as NodeJS.ErrnoException;
  return REASONS[code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? ''];
}
