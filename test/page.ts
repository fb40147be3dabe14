/** Pages as people find them: what they read, the links, fields and buttons. What is looked for must be there, and once. */
import { type HTMLElement, parse } from 'node-html-parser';
import { shownIn, textOf } from './page-text.ts';

const INPUTS = 'input, select';

/** The page in an answer, or in its HTML. */
export function pageOf(answer: string | { body: string }): Page {
  return new Page(parse(typeof answer === 'string' ? answer : answer.body));
}

export class Part {
  protected readonly root: HTMLElement;

  constructor(root: HTMLElement) {
    this.root = root;
  }

  get text(): string {
    return textOf(this.root);
  }

  get links(): { text: string; href: string }[] {
    return this.all('a').map((link) => ({ text: textOf(link), href: attributeOf(link, 'href') }));
  }

  /** Where a link leads. */
  link(text: string): string {
    return only(
      this.links.filter((link) => link.text === text),
      `link “${text}”`,
    ).href;
  }

  get buttons(): string[] {
    return this.all('button').map(textOf);
  }

  /** The button or link that stands out. */
  get primary(): string[] {
    return this.all('.primary').map(textOf);
  }

  get forms(): Form[] {
    return this.all('form').map((form) => new Form(form));
  }

  /** The form that is sent by a button. */
  form(button: string): Form {
    return only(
      this.forms.filter(({ buttons }) => buttons.includes(button)),
      `form with “${button}”`,
    );
  }

  /** The attributes of every field. */
  get inputs(): Record<string, string>[] {
    return this.all(INPUTS).map(({ attrs }) => attrs);
  }

  input(name: string): Record<string, string> {
    return only(
      this.inputs.filter((input) => input.name === name),
      `field ${name}`,
    );
  }

  /** The names of all fields. */
  get fields(): string[] {
    return [...new Set(this.inputs.flatMap(({ name }) => name ?? []))];
  }

  /** What is typed in a field, the words that are chosen there, or whether it is ticked. */
  field(name: string): string {
    const inputs = this.all(INPUTS).filter((input) => input.getAttribute('name') === name);
    return inputs.every(({ attrs }) => attrs.type === 'radio') && inputs.length > 0
      ? inputs
          .filter(({ attrs }) => 'checked' in attrs)
          .map(shownIn)
          .join(' and ')
      : shownIn(only(inputs, `field ${name}`));
  }

  /** What is said to be wrong with a field. */
  errorOf(field: string): string {
    return textOf(this.one(`[id="${field}-error"]`));
  }

  /** Whether the part below a summary is unfolded. */
  isOpen(summary: string): boolean {
    const folds = this.all('details').filter((fold) =>
      fold.querySelectorAll('summary').map(textOf).includes(summary),
    );
    return only(folds, `summary “${summary}”`).hasAttribute('open');
  }

  /** What is marked as the current page of a list, or as the choice that holds. */
  current(kind: 'page' | 'true'): string[] {
    return this.all(`[aria-current="${kind}"]`).map(textOf);
  }

  protected all(selector: string): HTMLElement[] {
    return this.root.querySelectorAll(selector);
  }

  protected one(selector: string): HTMLElement {
    return only(this.all(selector), selector);
  }
}

class Form extends Part {
  get action(): string {
    return attributeOf(this.root, 'action');
  }

  /** Where it has none a browser takes GET. */
  get method(): string {
    return this.root.getAttribute('method') ?? 'get';
  }
}

export class Page extends Part {
  get main(): Part {
    return new Part(this.one('main'));
  }

  /** What is below the header. */
  override get text(): string {
    return this.main.text;
  }

  get title(): string {
    return textOf(this.one('title'));
  }

  get heading(): string {
    return textOf(this.one('h1'));
  }

  /** The messages about what was done before, and about the page. */
  get notices(): string[] {
    return this.all('#flash, .notice').map(textOf);
  }

  /** What has the focus, and is read aloud, when the page is opened; of a field its name. */
  get focused(): string[] {
    return this.all('[autofocus]').map((element) => element.getAttribute('name') ?? textOf(element));
  }

  /** What is shown this once. */
  get secret(): string {
    return textOf(this.one('.secret'));
  }

  /** The lines that a picture is drawn with, by what it is called. */
  drawing(name: string): string {
    return attributeOf(this.one(`svg[role="img"][aria-label="${name}"] path`), 'd');
  }

  /** What stands below a heading of the table. */
  column(heading: string): string[] {
    const index = this.all('th').map(textOf).indexOf(heading);
    if (index < 0) throw new Error(`There is no column “${heading}”.`);
    return this.all('tbody tr').map((row) => textOf(row.querySelectorAll('td')[index]));
  }

  /** The numbers of the users in the table, to whom its rows lead. */
  get users(): number[] {
    const links = this.all('tbody a').map((link) => attributeOf(link, 'href'));
    return links.map((href) => Number(/^\/users\/(\d+)/.exec(href)?.[1]));
  }

  /** What the list is limited to; each link takes it off. */
  get chips(): { text: string; href: string }[] {
    return this.all('.chips').flatMap((chips) => new Part(chips).links);
  }

  /** What is marked as found. */
  get marks(): string[] {
    return this.all('mark').map(textOf);
  }

  /** The lines of lists. */
  get items(): string[] {
    return this.all('li').map(textOf);
  }

  /** The names of the groups of links. */
  get navs(): string[] {
    return this.all('nav').map((nav) => attributeOf(nav, 'aria-label'));
  }

  nav(name: string): Part {
    return new Part(this.one(`nav[aria-label="${name}"]`));
  }
}

function attributeOf(element: HTMLElement, name: string): string {
  const value = element.getAttribute(name);
  if (value === undefined) throw new Error(`There is no ${name} on <${element.localName}>.`);
  return value;
}

function only<T>(found: readonly T[], what: string): T {
  const [first, ...others] = found;
  if (first === undefined) throw new Error(`There is no ${what}.`);
  if (others.length > 0) throw new Error(`There is more than one ${what}.`);
  return first;
}
