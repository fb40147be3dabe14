/** What users are found and sorted by, as this migration makes it: a copy of `search/` as it was then, where the comments are. */
import { domainToUnicode } from 'node:url';

const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;
const ACCENTS = /[[\p{Mn}&&[\p{Script=Inherited}\p{Script=Hebrew}]]--[\u3099\u309A]]/gv;
const INVISIBLE = /\p{DI}/gu;
const ASCII = /^[ -~]*$/;
const ACUTE = /[\u00B4\u1FFD]/g;

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

const KATAKANA = /[\u30A1-\u30F6\u30FD\u30FE]/;
const TO_HIRAGANA = -0x60;

const SPELLINGS = lettersOf({ ae: 'ä', oe: 'ö ø', ue: 'ü', aa: 'å' });

function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase().replaceAll('`', "'");
  return clustersOf(text).map(foldCluster).join('').normalize('NFC');
}

function foldSpelled(text: string): string {
  return clustersOf(text).map(foldSpelledCluster).join('');
}

function clustersOf(text: string): string[] {
  return text.match(CLUSTER) ?? [];
}

function foldCluster(cluster: string): string {
  if (ASCII.test(cluster)) return fold(cluster);
  const cased = foldCase(cluster.replaceAll(ACUTE, "'"));
  const bare = cased.normalize('NFKD').replaceAll(ACCENTS, '').replaceAll(INVISIBLE, '');
  return Array.from(bare, (letter) => UNDECOMPOSED_BY_UNICODE.get(letter) ?? hiraganaOf(letter))
    .join('')
    .normalize('NFC');
}

function foldSpelledCluster(cluster: string): string {
  return SPELLINGS.get(cluster.toLowerCase().normalize('NFC')) ?? foldCluster(cluster);
}

function hiraganaOf(letter: string): string {
  return KATAKANA.test(letter) ? String.fromCharCode(letter.charCodeAt(0) + TO_HIRAGANA) : letter;
}

function foldCase(text: string): string {
  return text.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

function lettersOf(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([plain, letters]) => letters.split(' ').map((letter) => [letter, plain])),
  );
}

const WORD_START = '\n\n';

const SEPARATOR = /[\s\p{Z}\p{Cc}()[\]{}<>,;"（）、，；「」『』]/u;
const SEPARATORS = new RegExp(`${SEPARATOR.source}+`, 'u');
const UNSPACED = /[[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]&&\p{L}]/v;
const UNSPACED_INSIDE = new RegExp(`(?<!^)${UNSPACED.source}`, 'gv');

function splitWords(text: string): string[] {
  return text.split(SEPARATORS).filter((word) => word !== '');
}

function joinWords(folded: string): string {
  return splitWords(folded)
    .map((word) => word.replaceAll(UNSPACED_INSIDE, `${WORD_START}$&`))
    .join(WORD_START);
}

function markWords(folded: string): string {
  const words = joinWords(folded);
  return words && WORD_START + words;
}

const JOINED = /\S['·-]\S|(?<!\p{L})\p{L}\.\p{L}\./u;
const MOST_PLAIN_WORDS = 2;
const SHORT_FIRST_WORD =
  /^(\S{1,2}|mac|van|von|del|der|dos|das|san|abd|abdel|abu|ben|bin|ibn|ter|ten|st\.?) /;
const NO_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;

function squeeze(folded: string): string {
  return folded.replaceAll(NO_LETTERS, '');
}

function isSqueezed(folded: string): boolean {
  const words = splitWords(folded);
  return JOINED.test(folded) || words.length > MOST_PLAIN_WORDS || SHORT_FIRST_WORD.test(words.join(' '));
}

function spellingsOfName(name: string, folded: string): string[] {
  const spelled = ASCII.test(name) ? folded : foldSpelled(name);
  const squeezed = isSqueezed(folded) ? [squeeze(folded), squeeze(spelled)] : [];
  return spelled === folded ? squeezed : [spelled, ...squeezed];
}

function spellingsOfEmail(email: string): string[] {
  const start = email.indexOf('@') + 1;
  const domain = email.slice(start);
  return /\bxn--/i.test(domain) ? [fold(email.slice(0, start) + domainToUnicode(domain))] : [];
}

const FIELD_START = '\r';
const SPELLING_START = '\v';

const LONGEST_KEY = 64;

export function searchTextOf(fields: Readonly<Record<string, string | null | undefined>>): string {
  let text = '';
  const spellings: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (!value) continue;
    const folded = fold(value);
    text += FIELD_START + markWords(folded);
    spellings.push(...(name === 'email' ? spellingsOfEmail(value) : spellingsOfName(value, folded)));
  }
  const others = [...new Set(spellings)].map(markWords).filter((spelling) => !text.includes(spelling));
  return others.reduce((all, spelling) => all + SPELLING_START + spelling, text);
}

export function sortKeyOf(name: string): string {
  const folded = fold(name);
  const key = splitWords(folded).join(' ') || folded;
  return Array.from(key).length > LONGEST_KEY
    ? Array.from(key).slice(0, LONGEST_KEY).join('').trimEnd()
    : key;
}
