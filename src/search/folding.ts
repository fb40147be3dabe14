/** Text as it is searched: without what people leave out or type another way, such as case and accents. */

const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;
/** Accents and their like; the marks that a script writes its vowels with are letters of it, and so is a kana's. */
const ACCENTS = /[[\p{Mn}&&\p{Script=Inherited}]--[\u3099\u309A]]/gv;
const INVISIBLE = /\p{DI}/gu;
const ASCII = /^[ -~]*$/;

const UNDECOMPOSED_BY_UNICODE: ReadonlyMap<string, string> = new Map(
  Object.entries({
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
    г: 'ґ',
    "'": '’ ‘ ‛ ʼ ʻ ′',
    '"': '“ ” „ ‟',
    '-': '‐ ‒ – — ― −',
  }).flatMap(([plain, letters]) => letters.split(' ').map((letter) => [letter, plain])),
);

/** `Łódź` is `lodz`, `straße` is `strasse`; case is folded as in `textKey`. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return clustersOf(text).map(foldCluster).join('');
}

/** Characters with the marks on them, which fold each by itself. */
export function clustersOf(text: string): string[] {
  return text.match(CLUSTER) ?? [];
}

function foldCluster(cluster: string): string {
  const cased = cluster.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  const bare = cased.normalize('NFKD').replaceAll(ACCENTS, '').replaceAll(INVISIBLE, '');
  return Array.from(bare, (letter) => UNDECOMPOSED_BY_UNICODE.get(letter) ?? letter)
    .join('')
    .normalize('NFC');
}
