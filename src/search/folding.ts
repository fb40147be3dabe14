/** Text as it is searched and sorted: without what people leave out or type another way, such as case and accents. */

const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;
/** What is plain together, for most names have few letters that are not. */
const PLAIN_OR_CLUSTER = /[ -~]+(?!\p{M})|\P{M}\p{M}*|\p{M}+/gu;
/** Accents and points; the marks that a script always writes its vowels with are letters of it, and so is a kana's. */
const ACCENTS = /[[\p{Mn}&&[\p{Script=Inherited}\p{Script=Hebrew}]]--[\u3099\u309A]]/gv;
const INVISIBLE = /\p{DI}/gu;
export const ASCII = /^[ -~]*$/;
/** Typed for an apostrophe; it would become a space. */
const ACUTE = /[\u00B4\u1FFD]/g;

/** The same few are in most names. */
const knownClusters = new Map<string, string>();
const MOST_KNOWN = 2_000;

const UNDECOMPOSED_BY_UNICODE = lettersOf({
  a: 'ⱥ ɑ',
  ae: 'æ',
  b: 'ƀ ɓ ƃ',
  c: 'ƈ ȼ ɕ',
  d: 'đ ð ɖ ɗ ƌ',
  e: 'ǝ ə ɛ ɇ',
  f: 'ƒ',
  g: 'ɠ ǥ ɣ',
  h: 'ħ ⱨ ɥ',
  hv: 'ƕ',
  i: 'ı ɨ ɩ',
  j: 'ȷ ɉ ʝ',
  k: 'ĸ ƙ ⱪ',
  l: 'ł ƚ ⱡ ɫ',
  m: 'ɯ ɱ',
  n: 'ŋ ɲ ƞ',
  o: 'ø ɔ ɵ',
  oe: 'œ',
  oi: 'ƣ',
  ou: 'ȣ',
  p: 'ƥ ᵽ',
  q: 'ɋ ʠ',
  r: 'ɍ ɽ ɾ',
  s: 'ȿ ʂ ƨ',
  t: 'ŧ ƭ ʈ ƫ ⱦ',
  th: 'þ',
  u: 'ʉ ʊ',
  v: 'ʋ ⱱ',
  w: 'ⱳ',
  y: 'ƴ ɏ',
  z: 'ƶ ȥ ɀ ʒ ʐ ⱬ',
  // What neighbours of Russian, Arabic and Persian write, which other keyboards lack.
  а: 'ә',
  г: 'ґ ғ ҕ',
  д: 'ђ',
  е: 'є',
  ж: 'җ',
  з: 'ѕ ҙ',
  и: 'і ј',
  к: 'қ ҡ ҝ',
  л: 'љ',
  н: 'њ ң ҥ',
  о: 'ө',
  с: 'ҫ',
  т: 'ћ ҭ',
  у: 'ү ұ',
  х: 'ҳ һ',
  ч: 'џ ҷ ҹ',
  ب: 'پ',
  ت: 'ٹ',
  ج: 'چ',
  د: 'ڈ',
  ر: 'ڑ',
  ز: 'ژ',
  ك: 'ک گ',
  ن: 'ں',
  ه: 'ة ہ ھ ە',
  ي: 'ی ى ے',
  "'": '’ ‘ ‛ ʼ ʻ ʽ ʾ ʿ ′ ` ׳ ꞌ',
  '"': '“ ” „ ‟ ״',
  '-': '‐ ‒ – — ― − ־',
  '·': '・ ‧',
  '.': '。',
});

/** Of each katakana its hiragana, which is as far away in Unicode. */
const KATAKANA = /[\u30A1-\u30F6\u30FD\u30FE]/;
const TO_HIRAGANA = -0x60;

/** `Łódź` is `lodz`, `straße` is `strasse`; case is folded as in `textKey`. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase().replaceAll('`', "'");
  // A half-width kana has its mark in a cluster of its own.
  return foldEach(text, foldCluster).normalize('NFC');
}

/** @param foldCluster of what is plain it folds any number at once */
export function foldEach(text: string, foldCluster: (cluster: string) => string): string {
  return text.replaceAll(PLAIN_OR_CLUSTER, (cluster) => foldCluster(cluster));
}

export function clustersOf(text: string): string[] {
  return text.match(CLUSTER) ?? [];
}

export function foldCluster(cluster: string): string {
  if (ASCII.test(cluster)) return fold(cluster);
  const known = knownClusters.get(cluster);
  if (known !== undefined) return known;
  if (knownClusters.size >= MOST_KNOWN) knownClusters.clear();
  const folded = foldUnknown(cluster);
  knownClusters.set(cluster, folded);
  return folded;
}

function foldUnknown(cluster: string): string {
  const cased = foldCase(cluster.replaceAll(ACUTE, "'"));
  const bare = cased.normalize('NFKD').replaceAll(ACCENTS, '').replaceAll(INVISIBLE, '');
  return Array.from(bare, (letter) => UNDECOMPOSED_BY_UNICODE.get(letter) ?? hiraganaOf(letter))
    .join('')
    .normalize('NFC');
}

function hiraganaOf(letter: string): string {
  return KATAKANA.test(letter) ? String.fromCharCode(letter.charCodeAt(0) + TO_HIRAGANA) : letter;
}

function foldCase(text: string): string {
  return text.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/** @param table of each plain letter those that are folded to it, with spaces between them */
export function lettersOf(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([plain, letters]) => letters.split(' ').map((letter) => [letter, plain])),
  );
}
