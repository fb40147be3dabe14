/** What is wrong with a page as a browser lays it out, by measure: any browser, whose page evaluates a script that it is given. */

export type Evaluates = { evaluate(script: string): Promise<unknown> };

export const WIDTHS = [320, 390, 768, 1024, 1280, 1920];

/** What can be pressed has this height and width below 44rem, or a finger's; 24 px else (WCAG 2.2, 2.5.5 and 2.5.8). */
export function targetAt(width: number, isTouched = false): number {
  return width < 704 || isTouched ? 44 : 24;
}

const SEEN = `
  const isSeen = (element) =>
    element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) &&
    !element.closest(':is(.visually-hidden, .skip):not(:focus)') &&
    element.getBoundingClientRect().width > 1 && getComputedStyle(element).clipPath === 'none';
  const seen = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);
  const nameOf = (node) =>
    (node.localName ?? 'text') + ' “' + (node.textContent || node.value || node.name).trim().slice(0, 20) + '”';
  const CONTROLS = 'a, button, input:not([type="hidden"]), select, summary';
  // A row of the list is what its link fills, and a label what its box to tick does.
  const pressed = (element) =>
    element.closest('.users tbody tr') ?? (/^(checkbox|radio)$/.test(element.type) && element.closest('label') || element);
`;

const LAYOUT = `
  const known = new Map();
  const look = (element) => {
    if (!known.has(element)) {
      const { display, overflowX, overflowY } = getComputedStyle(element);
      known.set(element, { display, overflowX, overflowY, edge: element.getBoundingClientRect() });
    }
    return known.get(element);
  };
  const isInline = (element) => look(element).display === 'inline';
  const boxesAround = (node) => {
    const boxes = [];
    for (let one = node.parentElement; one !== document.documentElement; one = one.parentElement)
      if (!/^(inline|contents)$/.test(look(one).display)) boxes.push(one);
    return boxes;
  };
  // What is seen of a box, within those around it that cut off what is larger than they are.
  const cut = (box, around) => around.map(look).reduce((part, { overflowX, overflowY, edge }) => ({
    left: overflowX === 'visible' ? part.left : Math.max(part.left, edge.left),
    right: overflowX === 'visible' ? part.right : Math.min(part.right, edge.right),
    top: overflowY === 'visible' ? part.top : Math.max(part.top, edge.top),
    bottom: overflowY === 'visible' ? part.bottom : Math.min(part.bottom, edge.bottom),
  }), box);
  // The lines of a text: of their heights the middle, since letters of one reach into the next.
  const linesOf = (node, rects) => [...rects].map(({ left, right, top, height }) => {
    const line = { left, right, top: top + height * 0.2, bottom: top + height * 0.8 };
    return { node, box: cut(line, boxesAround(node)) };
  }).filter(({ box }) => box.right - box.left > 1 && box.bottom - box.top > 1);
  const texts = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const { currentNode } = walker;
      if (currentNode.data.trim() === '' || !isSeen(currentNode.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(currentNode);
      found.push(...linesOf(currentNode, range.getClientRects()));
    }
    return found;
  };
  const controls = () => seen(CONTROLS).flatMap((element) => isInline(element)
    ? linesOf(element, element.getClientRects())
    : [{ node: element, box: look(element).edge }]);

  const isInside = (box, edge) => box.left > edge.left - 1.5 && box.right < edge.right + 1.5 &&
    box.top > edge.top - 1.5 && box.bottom < edge.bottom + 1.5;
  const isOver = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1;

  const width = document.documentElement.clientWidth;
  const { scrollWidth } = document.documentElement;
  const boxes = [...controls(), ...texts()];
  for (const [index, { node, box }] of boxes.entries()) {
    if (box.left < 0 || box.right > width + 0.5) problems.push(nameOf(node) + ' is outside');
    // A control may begin a little before the edge, so that its text begins there.
    for (const one of node.data ? boxesAround(node) : [])
      if (!isInside(box, look(one).edge)) problems.push(nameOf(node) + ' sticks out of ' + nameOf(one));
    for (const other of boxes.slice(index + 1))
      if (isOver(box, other.box) && !node.contains(other.node) && !other.node.contains(node))
        problems.push(nameOf(node) + ' overlaps ' + nameOf(other.node));
  }
  if (scrollWidth > width) problems.push('scrolls sideways: ' + scrollWidth);
  // A word on a button, unless with large letters it takes most of a line.
  const words = boxes.filter(({ node }) => /^\\S+$/.test(node.data?.trim() ?? '') && node.parentElement.closest('.button'));
  for (const [word, lines] of Map.groupBy(words, ({ node }) => node))
    if (lines.length > 1 && lines.reduce((sum, { box }) => sum + box.right - box.left, 0) < width / 3)
      problems.push(nameOf(word) + ' is broken');

  for (const card of seen('.card')) {
    const last = card.lastElementChild;
    if (last && isSeen(last) && parseFloat(getComputedStyle(last).marginBottom) > 0)
      problems.push(nameOf(last) + ' has room below it, at the end of a card');
  }
  // Of a line some 6 px are below its letters.
  for (const { node, box } of controls().filter(({ node }) => node.matches('.button:not(td *)')))
    for (const line of boxes.filter(({ node }) => node.data))
      if (!node.contains(line.node) && Math.min(box.right, line.box.right) > Math.max(box.left, line.box.left) &&
        box.top >= line.box.bottom && box.top - line.box.bottom < 8)
        problems.push(nameOf(line.node) + ' touches ' + nameOf(node));

  // A link inside of a sentence is as high as its line (the exception "inline" of both criteria).
  const isInSentence = (element) => /^inline(-block)?$/.test(look(element).display) &&
    boxesAround(element)[0].textContent.trim() !== element.textContent.trim();
  for (const element of seen(CONTROLS).filter((one) => one.localName !== 'a' || !isInSentence(one))) {
    const { width, height } = pressed(element).getBoundingClientRect();
    if (Math.min(width, height) < target - 0.5) problems.push(nameOf(element) + ' is ' + width + ' x ' + height);
  }
`;

/** What scrolls sideways, is outside, sticks out, overlaps, touches the button below it, or is less than `target` px high or wide although it can be pressed. */
export async function layoutProblems(page: Evaluates, target: number): Promise<string[]> {
  return measure(page, LAYOUT, target);
}

/** What a script in a page adds to its `problems`. */
export async function measure(page: Evaluates, script: string, target = 0): Promise<string[]> {
  return (await page.evaluate(
    `((target) => { const problems = []; ${SEEN} ${script} return problems; })(${target})`,
  )) as string[];
}
