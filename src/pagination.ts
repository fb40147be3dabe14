/** The arithmetic of pages: pure, and knowing neither HTTP nor SQL. */

/** How many numbers to show at each end of the list of pages and on each side of the current one. */
export type Edges = { leftEdge?: number; leftCurrent?: number; rightCurrent?: number; rightEdge?: number };

/** How many pages `total` items fill; 0 for none. */
export function countPages(total: number, perPage: number): number {
  return Math.ceil(total / perPage);
}

/** One page of a list, with the results of Flask-SQLAlchemy's `Pagination`. Pages count from 1. */
export class Page<T> {
  readonly items: readonly T[];
  readonly page: number;
  readonly perPage: number;
  /** The number of items on all pages together. */
  readonly total: number;

  constructor(items: readonly T[], page: number, perPage: number, total: number) {
    this.items = items;
    this.page = page;
    this.perPage = perPage;
    this.total = total;
  }

  get pages(): number {
    return countPages(this.total, this.perPage);
  }

  /** The ordinal of the first item shown; 0 when there is none. */
  get first(): number {
    return this.items.length === 0 ? 0 : (this.page - 1) * this.perPage + 1;
  }

  /** The ordinal of the last item shown; 0 when there is none. */
  get last(): number {
    return this.items.length === 0 ? 0 : this.first + this.items.length - 1;
  }

  get hasPrev(): boolean {
    return this.page > 1;
  }

  get prevNum(): number | null {
    return this.hasPrev ? this.page - 1 : null;
  }

  get hasNext(): boolean {
    return this.page < this.pages;
  }

  get nextNum(): number | null {
    return this.hasNext ? this.page + 1 : null;
  }

  /** The page numbers to link to, in order; each gap is one null. The defaults are Flask-SQLAlchemy's. */
  *iterPages({ leftEdge = 2, leftCurrent = 2, rightCurrent = 4, rightEdge = 2 }: Edges = {}) {
    const end = this.pages + 1;
    const leftEnd = Math.min(1 + leftEdge, end);
    const middleStart = Math.max(leftEnd, this.page - leftCurrent);
    const middleEnd = Math.min(this.page + rightCurrent + 1, end);
    const rightStart = Math.max(middleEnd, end - rightEdge);

    yield* range(1, leftEnd);
    if (leftEnd === end) return;
    if (middleStart > leftEnd) yield null;
    yield* range(middleStart, middleEnd);
    if (middleEnd === end) return;
    if (rightStart > middleEnd) yield null;
    yield* range(rightStart, end);
  }
}

function* range(start: number, end: number): Generator<number | null> {
  for (let number = start; number < end; number++) yield number;
}
