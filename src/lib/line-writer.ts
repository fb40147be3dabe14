/** Writes lines to a descriptor, and goes on whatever becomes of it: a pipe that is closed or full, a disk without room. */
import { writeSync } from 'node:fs';

/** What cannot be written is left out, and told later. Not by a stream: what was said before a crash is there, in its order. */
export function lineWriter(fd: number, noticeOf: (count: number) => string): { write(line: string): void } {
  let rest: Buffer = Buffer.alloc(0);
  let leftOut = 0;
  return {
    write(line) {
      // Of a line that was written by half.
      rest = writeAll(fd, rest);
      const text = Buffer.from(leftOut > 0 ? noticeOf(leftOut) + line : line);
      const left = rest.length > 0 ? text : writeAll(fd, text);
      if (left.length === text.length) {
        leftOut++;
        return;
      }
      rest = left;
      leftOut = 0;
    },
  };
}

function writeAll(fd: number, bytes: Buffer): Buffer {
  let left = bytes;
  try {
    while (left.length > 0) left = left.subarray(writeSync(fd, left));
  } catch {
    // Nobody is there to be told.
  }
  return left;
}
