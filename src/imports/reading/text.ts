/** A file as text, some of it at a time. */
import { createReadStream } from 'node:fs';
import type { Encoding } from './reading.ts';

/** Without a byte-order mark; every line ends with `\n`, also inside of cells, as an editor of text counts lines. */
export async function* readText(path: string, encoding: Encoding, end = Infinity): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  // The first half of a line end, as long as it may be one.
  let held = '';
  for await (const bytes of createReadStream(path, { end })) {
    const text = held + decoder.decode(bytes, { stream: true });
    held = text.endsWith('\r') ? '\r' : '';
    yield withOneLineEnd(held ? text.slice(0, -1) : text);
  }
  yield withOneLineEnd(held + decoder.decode());
}

function withOneLineEnd(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}
