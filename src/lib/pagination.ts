/** The arithmetic of pages: pure, and knowing neither HTTP nor SQL. */

export type Edges = { leftEdge?: number; leftCurrent?: number; rightCurrent?: number; rightEdge?: number };

export function countPages(total: number, perPage: number): number {
  return Math.ceil(total / perPage);
}

/** How many items there are, or at least are: what takes too long is not counted to the end. */
export type Total = { count: number; isExact: boolean };

export type Neighbours = { hasPrev: boolean; hasNext: boolean };

/** The number that a page is said to have, as far as its neighbours allow; 0 where nobody knows. */
export function labelOf(said: number, pages: number | undefined, { hasPrev, hasNext }: Neighbours): number {
  if (!hasPrev) return 1;
  if (!hasNext && pages !== undefined) return Math.max(1, pages);
  if (said === 0) return 0;
  return Math.max(2, Math.min(said, (pages ?? Number.MAX_SAFE_INTEGER) - 1));
}

/** One page of a list, as Flask-SQLAlchemy's `Pagination`. Pages count from 1; 0 is one without a number. */
export class Page<T> {
  readonly items: readonly T[];
  readonly page: number;
  readonly perPage: number;
  readonly total: number;
  readonly isExact: boolean;
  readonly hasPrev: boolean;
  readonly hasNext: boolean;

  constructor(
    items: readonly T[],
    page: number,
    perPage: number,
    total: number,
    fromRows: Partial<Neighbours & Total> = {},
  ) {
    this.items = items;
    this.page = page;
    this.perPage = perPage;
    this.total = total;
    this.isExact = fromRows.isExact ?? true;
    this.hasPrev = fromRows.hasPrev ?? page > 1;
    this.hasNext = fromRows.hasNext ?? page < countPages(total, perPage);
  }

  get pages(): number {
    const pages = countPages(this.total, this.perPage);
    return this.isExact ? pages : Math.max(pages, this.page + (this.hasNext ? 1 : 0));
  }

  /** The ordinal of the first item shown; 0 when there is none, or nobody knows. */
  get first(): number {
    if (this.items.length === 0 || this.page === 0) return 0;
    const isEnd = this.isExact && this.hasPrev && !this.hasNext;
    return isEnd ? this.total - this.items.length + 1 : (this.page - 1) * this.perPage + 1;
  }

  get last(): number {
    return this.first === 0 ? 0 : this.first + this.items.length - 1;
  }

  get prevNum(): number | null {
    return this.hasPrev ? Math.max(0, this.page - 1) : null;
  }

  get nextNum(): number | null {
    return this.hasNext ? this.page && this.page + 1 : null;
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
