/** Reads the file that is named, in a process of its own, and says how much memory that took at most, in MB. */

import { UnreadableError } from '../../src/imports/reading/reading.ts';
import { recognise } from '../../src/imports/reading/recognise.ts';
import { readRows } from '../../src/imports/reading/rows.ts';

const [path = ''] = process.argv.slice(2);
// The system's own maximum begins with what the process had that started this one.
let peak = 0;
const samples = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 2);
let count = 0;
let problem = '';
try {
  for await (const rows of readRows(path, await recognise(path), 'leave')) count += rows.length;
} catch (error) {
  if (!(error instanceof UnreadableError)) throw error;
  problem = error.message;
}
clearInterval(samples);
console.log(JSON.stringify({ count, problem, peak: peak / 2 ** 20 }));
