/** What is wrong with a page's HTML that browsers forgive without a word, and what of its text may be translated. */

type Element = { name: string; attributes: ReadonlyMap<string, string> };
type Page = {
  elements: readonly Element[];
  /** In their order, each with the elements that it is in. */
  texts: readonly { text: string; within: readonly Element[] }[];
  problems: readonly string[];
};

const TOKEN =
  /<!doctype html>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*(\/?)>|[^<]+|</g;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:="([^"]*)")?/g;
const VOID = /^(?:br|hr|img|input|link|meta|wbr)$/;
/** What ends a paragraph by itself (HTML Living Standard, 13.1.2.4). */
const BLOCK =
  /^(?:address|article|details|div|dl|fieldset|footer|form|h[1-6]|header|main|nav|ol|p|search|section|table|ul)$/;
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
  const { texts } = parse(html);
  const isKept = ({ attributes }: Element) => attributes.get('translate') === 'no';
  return texts.flatMap(({ text, within }) => (within.some(isKept) ? [] : [text])).join('');
}

function parse(html: string): Page {
  const elements: Element[] = [];
  const texts: { text: string; within: Element[] }[] = [];
  const problems: string[] = [];
  const within: Element[] = [];
  for (const [token, end, start, attributes = '', slash] of html.matchAll(TOKEN)) {
    if (start !== undefined) {
      const element = { name: start, attributes: readAttributes(attributes, problems) };
      elements.push(element);
      problems.push(...misplaced(start, within));
      if (!slash && !VOID.test(start)) within.push(element);
    } else if (end !== undefined) {
      const open = within.pop()?.name;
      if (open !== end) problems.push(`</${end}> ends <${open}>`);
    } else if (token === '<') problems.push('a tag cannot be read');
    else if (!token.startsWith('<!')) texts.push({ text: token, within: [...within] });
  }
  problems.push(...within.map(({ name }) => `<${name}> does not end`));
  return { elements, texts, problems };
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
  const isIn = (outer: string) => within.some((element) => element.name === outer);
  return [
    ...(BLOCK.test(name) && within.at(-1)?.name === 'p'
      ? [`<${name}> is in a paragraph, which it ends`]
      : []),
    ...(['form', 'a', 'button', 'label'].includes(name) && isIn(name) ? [`<${name}> is in another`] : []),
  ];
}
