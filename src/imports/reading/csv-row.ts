/** Rows of a file, cut into cells (https://www.rfc-editor.org/rfc/rfc4180): byte by byte, for there are many. */

const [QUOTE, LINE_END] = [0x22, 0x0a];

/** `end`: where what ends it stands; `isTorn`: of several lines, it goes on after the quote that closes it. */
type Cell = { text: string; end: number; isTorn: boolean };
/** `isTorn`: one of its cells is. */
type Row = { cells: string[]; end: number; isTorn: boolean };

/** @param bytes UTF-8 @param delimiter a byte @returns undefined where its end is not among the bytes */
export function parseRow(bytes: Buffer, start: number, delimiter: number): Row | undefined {
  const cells: string[] = [];
  let isTorn = false;
  for (let at = start; at < bytes.length; ) {
    const cell = bytes[at] === QUOTE ? quotedCell(bytes, at, delimiter) : plainCell(bytes, at, delimiter);
    if (cell === undefined) return undefined;
    cells.push(cell.text);
    isTorn ||= cell.isTorn;
    if (bytes[cell.end] === LINE_END) return { cells, end: cell.end, isTorn };
    at = cell.end + 1;
  }
  return undefined;
}

/** In a cell that does not begin with a quote, a quote is a letter like any other. */
function plainCell(bytes: Buffer, start: number, delimiter: number): Cell | undefined {
  const end = endOfCell(bytes, start, delimiter);
  return end === undefined ? undefined : { text: bytes.toString('utf8', start, end), end, isTorn: false };
}

/** What stands between its closing quote and its end is taken as it is, and the cell keeps its outer quotes then. */
function quotedCell(bytes: Buffer, start: number, delimiter: number): Cell | undefined {
  const close = closingQuote(bytes, start + 1);
  const end = close === undefined ? undefined : endOfCell(bytes, close + 1, delimiter);
  if (close === undefined || end === undefined) return undefined;
  const inside = bytes.toString('utf8', start + 1, close).replaceAll('""', '"');
  if (end === close + 1) return { text: inside, end, isTorn: false };
  const text = `"${inside}"${bytes.toString('utf8', close + 1, end)}`;
  return { text, end, isTorn: inside.includes('\n') };
}

function endOfCell(bytes: Buffer, start: number, delimiter: number): number | undefined {
  for (let at = start; at < bytes.length; at++)
    if (bytes[at] === delimiter || bytes[at] === LINE_END) return at;
  return undefined;
}

function closingQuote(bytes: Buffer, start: number): number | undefined {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] !== QUOTE) continue;
    if (bytes[at + 1] !== QUOTE) return at;
    at++;
  }
  return undefined;
}
