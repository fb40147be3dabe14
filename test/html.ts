/** What is wrong with a page's HTML that browsers forgive without a word, and what of its text may be translated. */

type Element = { name: string; attributes: ReadonlyMap<string, string>; isTranslated: boolean };
type Page = { elements: readonly Element[]; translated: string; problems: readonly string[] };

const TOKEN =
  /<!doctype html>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*(\/?)>|[^<]+|</g;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:="([^"]*)")?/g;
const VOID = /^(?:br|col|hr|img|input|link|meta|wbr)$/;
/** What ends a paragraph by itself (HTML Living Standard, 13.1.2.4). */
const BLOCK =
  /^(?:address|article|details|div|dl|fieldset|footer|form|h[1-6]|header|main|nav|ol|p|search|section|table|ul)$/;
const NOT_IN_ITSELF = /^(?:a|button|form|label)$/;
/** Attributes that say nothing, or something else than is meant, when they are empty. */
const NEVER_EMPTY = [
  'id',
  'name',
  'for',
  'href',
  'src',
  'action',
  'class',
  'aria-describedby',
  'aria-labelledby',
];
const BY_ID = ['for', 'aria-describedby', 'aria-labelledby', 'aria-controls'];

export function htmlProblems(html: string): string[] {
  const { elements, problems } = parse(html);
  const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
  const known = new Set(ids);
  const targets = elements.flatMap(({ attributes }) => [
    ...BY_ID.flatMap((name) => attributes.get(name)?.split(' ') ?? []),
    ...(/^#(.+)/.exec(attributes.get('href') ?? '')?.slice(1) ?? []),
  ]);
  return [
    ...problems,
    ...ids.filter((id, index) => ids.indexOf(id) < index).map((id) => `two elements have the id ${id}`),
    ...targets.filter((id) => !known.has(id)).map((id) => `there is no element with the id ${id}`),
  ];
}

/** The text on a page that a browser may translate. */
export function translatedText(html: string): string {
  return parse(html).translated;
}

function parse(html: string): Page {
  const elements: Element[] = [];
  const problems: string[] = [];
  const within: Element[] = [];
  let translated = '';
  for (const [token, end, start, written = '', slash] of html.matchAll(TOKEN)) {
    const outer = within.at(-1);
    if (start !== undefined) {
      problems.push(...misplaced(start, within));
      const attributes = readAttributes(written, problems);
      const isTranslated = outer?.isTranslated !== false && attributes.get('translate') !== 'no';
      const element = { name: start, attributes, isTranslated };
      elements.push(element);
      if (!slash && !VOID.test(start)) within.push(element);
    } else if (end !== undefined) {
      within.pop();
      if (outer?.name !== end) problems.push(`</${end}> ends <${outer?.name}>`);
    } else if (token === '<') problems.push('a tag cannot be read');
    else if (outer?.isTranslated) translated += token;
  }
  problems.push(...within.map(({ name }) => `<${name}> does not end`));
  return { elements, translated, problems };
}

function readAttributes(written: string, problems: string[]): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', value] of written.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) problems.push(`an element has ${name} twice`);
    if (value === '' && NEVER_EMPTY.includes(name)) problems.push(`${name} is empty`);
    attributes.set(name, value ?? '');
  }
  return attributes;
}

/** What an element may not be in. */
function misplaced(name: string, within: readonly Element[]): string[] {
  if (within.at(-1)?.name === 'p' && BLOCK.test(name)) return [`<${name}> is in a paragraph, which it ends`];
  const isInItself = NOT_IN_ITSELF.test(name) && within.some((element) => element.name === name);
  return isInItself ? [`<${name}> is in another`] : [];
}
