/** How many users a page of the list has. */
import { wholeNumber } from '../../lib/text.ts';

export const DEFAULT_PAGE_SIZE = 10;
export const OFFERED_PAGE_SIZES = [DEFAULT_PAGE_SIZE, 25, 50, 100];
export const LARGEST_PAGE = 100;

export const PAGE_SIZE_RULE = `it can be 1 to ${LARGEST_PAGE}`;

export function parsePageSize(typed: string): number | undefined {
  const size = wholeNumber(typed);
  return size !== undefined && size >= 1 && size <= LARGEST_PAGE ? size : undefined;
}
