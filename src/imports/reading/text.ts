/** A file as text, some of it at a time. */
import { isAscii } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { encodingFrom } from './encoding.ts';
import type { Listener, Reading } from './reading.ts';

export type Encoded = Pick<Reading, 'encoding' | 'isPlain'>;

/** Without a byte-order mark; every line ends with `\n`, also inside of cells, as an editor of text counts lines. */
export async function* readText(
  path: string,
  how: Encoded,
  end = Infinity,
  listener?: Pick<Listener, 'onEncoding'>,
): AsyncGenerator<string> {
  let { isPlain } = how;
  let decoder = new TextDecoder(how.encoding);
  // The first half of a line end, as long as it may be one.
  let held = '';
  let at = 0;
  for await (const bytes of createReadStream(path, { end })) {
    if (isPlain && !isAscii(bytes)) {
      isPlain = false;
      const encoding = await encodingFrom(path, at);
      decoder = new TextDecoder(encoding);
      await listener?.onEncoding(encoding);
    }
    at += bytes.length;
    const text = held + decoder.decode(bytes, { stream: true });
    held = text.endsWith('\r') ? '\r' : '';
    yield withOneLineEnd(held ? text.slice(0, -1) : text);
  }
  yield withOneLineEnd(held + decoder.decode());
}

function withOneLineEnd(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}
