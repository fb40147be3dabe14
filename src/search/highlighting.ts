/** Where in a field a search was found. */
import { ASCII, clustersOf, fold, foldCluster } from './folding.ts';
import { isSqueezed, spellCluster, squeeze } from './spellings.ts';
import { isIndexedTerm, type Term, textsToFind } from './terms.ts';
import { type MarkedParts, markParts } from './words.ts';

type Range = [from: number, to: number];

export function highlight(field: string, terms: readonly Term[]): { part: string; isMatch: boolean }[] {
  const clusters = clustersOf(field);
  const isFound = clusters.map(() => false);
  for (const { text, ends } of waysToRead(field, clusters)) {
    const ranges = terms.flatMap((term) => rangesOf(text, term));
    let start = 0;
    for (const [index, end] of ends.entries()) {
      // What stands between letters that were found is found with them.
      if (ranges.some(([from, to]) => (end > start ? start < to && end > from : from < end && end < to)))
        isFound[index] = true;
      start = end;
    }
  }
  return joinParts(clusters, isFound);
}

function waysToRead(field: string, clusters: readonly string[]): MarkedParts[] {
  const isPlain = ASCII.test(field);
  // Of these each stays one letter, so that all can be folded at once.
  const folded = isPlain ? Array.from(fold(field)) : clusters.map(foldCluster);
  const spelled = isPlain ? undefined : clusters.map(spellCluster);
  const spellings = spelled ? [folded, spelled] : [folded];
  const squeezed = isSqueezed(folded.join('')) ? spellings.map((parts) => parts.map(squeeze)) : [];
  return [...spellings, ...squeezed].map(markParts);
}

function rangesOf(text: string, term: Term): Range[] {
  if (isIndexedTerm(term)) return rangesOfTerm(text, term);
  const atStart = rangesOfTerm(text, { ...term, at: 'word start' });
  return atStart.length > 0 ? atStart : rangesOfTerm(text, term);
}

function rangesOfTerm(text: string, term: Term): Range[] {
  const ranges: Range[] = [];
  for (const pattern of textsToFind(term)) {
    // What stands before a word is no part of it.
    const skipped = pattern.length - term.text.length;
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1))
      if (at === 0 || term.at !== 'field start') ranges.push([at + skipped, at + pattern.length]);
  }
  return ranges;
}

function joinParts(clusters: readonly string[], isFound: readonly boolean[]) {
  const parts: { part: string; isMatch: boolean }[] = [];
  for (const [index, cluster] of clusters.entries()) {
    const isMatch = isFound[index] ?? false;
    const last = parts.at(-1);
    if (last?.isMatch === isMatch) last.part += cluster;
    else parts.push({ part: cluster, isMatch });
  }
  return parts;
}
