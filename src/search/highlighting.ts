/** Where in a field a search was found. */
import { clustersOf, fold } from './folding.ts';
import type { Term } from './terms.ts';

export function highlight(field: string, terms: readonly Term[]): { part: string; isMatch: boolean }[] {
  const clusters = clustersOf(field);
  const folded = clusters.map(fold);
  const whole = folded.join('');
  const ranges = terms.flatMap((term) => rangesOf(whole, term));
  const parts: { part: string; isMatch: boolean }[] = [];
  let end = 0;
  for (const [index, cluster] of clusters.entries()) {
    const start = end;
    end += folded[index]?.length ?? 0;
    const isMatch = ranges.some(([from, to]) => start < to && end > from);
    const last = parts.at(-1);
    if (last?.isMatch === isMatch) last.part += cluster;
    else parts.push({ part: cluster, isMatch });
  }
  return parts;
}

function rangesOf(field: string, { text, isPrefix }: Term): [from: number, to: number][] {
  if (isPrefix) return field.startsWith(text) ? [[0, text.length]] : [];
  const ranges: [number, number][] = [];
  for (let at = field.indexOf(text); at >= 0; at = field.indexOf(text, at + 1)) {
    ranges.push([at, at + text.length]);
  }
  return ranges;
}
