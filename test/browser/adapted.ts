/** What is wrong with a page as people adapt it to themselves: magnified, in colours of their own, without motion. */
import { type Evaluates, measure } from './measure.ts';

const ZOOM = `
  for (const element of seen('*').filter((one) => /^(sticky|fixed)$/.test(getComputedStyle(one).position)))
    if (element.offsetHeight > innerHeight / 3) problems.push(nameOf(element) + ' covers ' + element.offsetHeight);
  const stops = seen(CONTROLS);
  for (const element of [...stops, ...stops.toReversed()]) {
    element.focus();
    const { left, right, top, bottom } = pressed(element).getBoundingClientRect();
    const [from, to] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
    const points = [from + 3, (from + to) / 2, to - 3].map((y) => document.elementFromPoint((left + right) / 2, y));
    if (points.some((hit) => !pressed(element).contains(hit) && !hit?.contains(element)))
      problems.push(nameOf(element) + ' has the focus and is hidden from ' + from + ' to ' + to);
  }
`;

/** What stays in sight and takes more than a third of the height, and what has the focus and is hidden behind it. */
export async function hidingProblems(page: Evaluates): Promise<string[]> {
  return measure(page, ZOOM);
}

const EDGES = `
  const isTransparent = (colour) => /^rgba.*, 0\\)$/.test(colour);
  const backgroundOf = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return element.parentElement && isTransparent(backgroundColor) ? backgroundOf(element.parentElement) : backgroundColor;
  };
  const isSeenLine = (style, width, colour, ground) =>
    !/^(none|hidden|auto)$/.test(style) && parseFloat(width) >= 1 && colour !== ground && !isTransparent(colour);
  const hasEdge = (element) => {
    const style = getComputedStyle(element);
    const ground = backgroundOf(element.parentElement);
    return ['Top', 'Right', 'Bottom', 'Left'].every((side) =>
      isSeenLine(style['border' + side + 'Style'], style['border' + side + 'Width'], style['border' + side + 'Color'], ground));
  };
  const hasOutline = (element) => {
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
    return isSeenLine(outlineStyle, outlineWidth, outlineColor, backgroundOf(element.parentElement)) && parseFloat(outlineWidth) >= 2;
  };
  for (const element of seen('.button, button, input:not([type="checkbox"], [type="radio"]), select, .badge, .chips a'))
    if (!hasEdge(element)) problems.push(nameOf(element) + ' has no edge');
  for (const element of seen('.avatar'))
    if (backgroundOf(element) === backgroundOf(element.parentElement)) problems.push(nameOf(element) + ' has no ground');
  for (const element of seen('[aria-current]'))
    if (!hasOutline(element)) problems.push(nameOf(element) + ' is like the others');
  const outlineOf = (element) => [element, pressed(element)].filter(hasOutline).map((one) => getComputedStyle(one).outline).join();
  document.activeElement.blur();
  for (const element of seen(CONTROLS)) {
    const before = outlineOf(element);
    element.focus();
    if (['', before].includes(outlineOf(element))) problems.push(nameOf(element) + ' has no focus ring');
  }
`;

/** What has no edge, ring or mark that is seen where colours are forced. */
export async function edgeProblems(page: Evaluates): Promise<string[]> {
  return measure(page, EDGES);
}

const MOTION = `
  const milliseconds = (times) => Math.max(...times.split(', ').map((time) => parseFloat(time) * (time.endsWith('ms') ? 1 : 1000)));
  for (const element of document.querySelectorAll('*'))
    for (const pseudo of [null, '::before', '::after', '::details-content']) {
      const { transitionDuration, animationDuration } = getComputedStyle(element, pseudo);
      if (Math.max(milliseconds(transitionDuration), milliseconds(animationDuration)) > 1)
        problems.push(nameOf(element) + (pseudo ?? '') + ' moves');
    }
`;

/** What moves for longer than a millisecond. */
export async function motionProblems(page: Evaluates): Promise<string[]> {
  return measure(page, MOTION);
}
