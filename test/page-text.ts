/** What people read in a part of a page, and in its fields. */
import { HTMLElement, type Node } from 'node-html-parser';

/** What stands in a line of text; everything else stands apart from what is before and after it. */
const INLINE = new Set(['a', 'bdi', 'code', 'em', 'mark', 'span', 'strong', 'time', 'wbr']);

/** The text that is not hidden from people who listen, without the space that browsers leave out. */
export function textOf(element: HTMLElement | null | undefined): string {
  return (element ? read(element) : '').replaceAll(/[ \t\n\f\r]+/g, ' ').trim();
}

function read(node: Node): string {
  if (!(node instanceof HTMLElement)) return node.text;
  if (node.getAttribute('aria-hidden') === 'true') return '';
  const text = node.childNodes.map(read).join('');
  return INLINE.has(node.localName) ? text : ` ${text} `;
}

/** What a field shows; of one of several to choose from, its label. */
export function shownIn(field: HTMLElement): string {
  const { type, value = '', checked } = field.attrs;
  if (field.localName === 'select') return selectedOf(field);
  if (type === 'radio') {
    const label = field.closest('label');
    return textOf(label?.querySelector('strong') ?? label);
  }
  if (type === 'checkbox') return checked === undefined ? 'not ticked' : 'ticked';
  return value;
}

/** A browser shows the first option where none is selected. */
function selectedOf(select: HTMLElement): string {
  const options = select.querySelectorAll('option');
  return textOf(options.find((option) => option.hasAttribute('selected')) ?? options[0]);
}
