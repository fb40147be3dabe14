/** The search text of a user as this migration makes it: every field in a form without case, accents and ligatures. */

const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;
/** Marks that are no letters of the script they are in, nor a kana's. */
const ACCENTS = /[[\p{Mn}&&\p{Script=Inherited}]--[\u3099\u309A]]/gv;
const UNSEEN = /\p{DI}/gu;

/** What Unicode does not decompose: what to write, followed by what it is written for. */
const LETTERS = letters(`
  a ⱥ ɑ|ae æ|b ƀ ɓ ƃ|c ƈ ȼ ɕ|d đ ð ɖ ɗ ƌ|e ǝ ə ɛ ɇ|f ƒ|g ɠ ǥ ɣ|h ħ ⱨ ɥ|hv ƕ|i ı ɨ ɩ|j ȷ ɉ ʝ|k ĸ ƙ ⱪ|l ł ƚ ⱡ ɫ|m ɯ ɱ
  |n ŋ ɲ ƞ|o ø ɔ ɵ|oe œ|oi ƣ|ou ȣ|p ƥ ᵽ|q ɋ ʠ|r ɍ ɽ ɾ|s ȿ ʂ ƨ|t ŧ ƭ ʈ ƫ ⱦ|th þ|u ʉ ʊ|v ʋ ⱱ|w ⱳ|y ƴ ɏ|z ƶ ȥ ɀ ʒ ʐ ⱬ
  |г ґ|' ’ ‘ ‛ ʼ ʻ ′|" “ ” „ ‟|- ‐ ‒ – — ― −`);

export type Searched = { username: string; email: string; full_name: string | null };

/** Each field begins with two line breaks, so that one letter more makes the three that are indexed. */
export function searchTextOf({ username, email, full_name }: Searched): string {
  const fields = full_name === null ? [username, email] : [username, email, full_name];
  return fields.map((field) => `\n\n${fold(field)}`).join('');
}

function fold(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toLowerCase();
  return (text.match(CLUSTER) ?? []).map(foldCluster).join('');
}

function foldCluster(cluster: string): string {
  const cased = cluster.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  const bare = cased.normalize('NFKD').replaceAll(ACCENTS, '').replaceAll(UNSEEN, '');
  return Array.from(bare, (letter) => LETTERS.get(letter) ?? letter)
    .join('')
    .normalize('NFC');
}

function letters(list: string): ReadonlyMap<string, string> {
  const groups = list.split('|').map((group) => group.trim().split(' '));
  return new Map(groups.flatMap(([plain = '', ...others]) => others.map((other) => [other, plain] as const)));
}
