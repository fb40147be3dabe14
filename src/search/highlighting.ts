/** Where in a field a search was found. */
import { ASCII, clustersOf, fold, foldCluster } from './folding.ts';
import { isSqueezed, spellCluster, squeeze } from './spellings.ts';
import { isIndexedTerm, type Term, textsToFind } from './terms.ts';
import { type MarkedParts, markParts, WORD_START } from './words.ts';

type Range = [from: number, to: number];

type Part = { part: string; isMatch: boolean };

export function highlight(field: string, terms: readonly Term[]): Part[] {
  return highlightPlain(field, terms) ?? highlightClusters(field, terms);
}

/** A single word is found in a plain field without the marks of words, and most are such: each letter is where it was. */
function highlightPlain(field: string, terms: readonly Term[]): Part[] | undefined {
  if (!ASCII.test(field) || !terms.every(isWordAnywhere)) return undefined;
  const folded = fold(field);
  if (isSqueezed(folded)) return undefined;
  const ranges = terms.flatMap((term) => rangesOfTerm(folded, term)).sort(([one], [other]) => one - other);
  const parts: Part[] = [];
  let end = 0;
  for (const [from, to] of ranges) {
    if (from > end) parts.push({ part: field.slice(end, from), isMatch: false });
    const part = field.slice(Math.max(from, end), to);
    const last = parts.at(-1);
    if (last?.isMatch) last.part += part;
    else parts.push({ part, isMatch: true });
    end = Math.max(end, to);
  }
  if (end < field.length) parts.push({ part: field.slice(end), isMatch: false });
  return parts;
}

function isWordAnywhere(term: Term): boolean {
  return term.at === 'anywhere' && isIndexedTerm(term) && !term.text.includes(WORD_START);
}

function highlightClusters(field: string, terms: readonly Term[]): Part[] {
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
  const parts: Part[] = [];
  for (const [index, cluster] of clusters.entries()) {
    const isMatch = isFound[index] ?? false;
    const last = parts.at(-1);
    if (last?.isMatch === isMatch) last.part += cluster;
    else parts.push({ part: cluster, isMatch });
  }
  return parts;
}
