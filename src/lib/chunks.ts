/** Many rows, some at a time: a statement takes so many values and no more, and others wait for each. */
export function* chunksOf<T>(rows: readonly T[], size: number): Iterable<T[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}
