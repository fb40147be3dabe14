/** Rows of a file, cut into cells (https://www.rfc-editor.org/rfc/rfc4180) as spreadsheets do: byte by byte, for there are many. */

const [QUOTE, LINE_END] = [0x22, 0x0a];

/** `end`: where what ends it stands. */
type Row = { cells: string[]; end: number };
type Cell = { text: string; end: number };

/** @param bytes UTF-8 @param delimiter a byte @returns undefined where its end is not among the bytes */
export function cutRow(bytes: Buffer, start: number, delimiter: number): Row | undefined {
  const cells: string[] = [];
  for (let at = start; at < bytes.length; ) {
    const cell = bytes[at] === QUOTE ? quotedCell(bytes, at, delimiter) : plainCell(bytes, at, delimiter);
    if (cell === undefined) return undefined;
    cells.push(cell.text);
    if (bytes[cell.end] === LINE_END) return { cells, end: cell.end };
    at = cell.end + 1;
  }
  return undefined;
}

function plainCell(bytes: Buffer, start: number, delimiter: number): Cell | undefined {
  const end = endOfCell(bytes, start, delimiter);
  return end === undefined ? undefined : { text: bytes.toString('utf8', start, end), end };
}

/** A quote that neither the end of the cell nor another one follows does not close it: all of its quotes are letters then. */
function quotedCell(bytes: Buffer, start: number, delimiter: number): Cell | undefined {
  const close = closingQuote(bytes, start + 1);
  const end = close === undefined ? undefined : endOfCell(bytes, close + 1, delimiter);
  if (close === undefined || end === undefined) return undefined;
  const inside = bytes.toString('utf8', start + 1, close).replaceAll('""', '"');
  const text = end === close + 1 ? inside : `"${inside}"${bytes.toString('utf8', close + 1, end)}`;
  return { text, end };
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
