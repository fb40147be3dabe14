/** A password from whoever sits at the terminal, or from the program that runs the command. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartError } from '../errors.ts';

/**
 * A line of standard input; at a terminal it is asked for, and since it is not shown, asked for once more.
 * @throws StartError when there is none, and when the second is not the first.
 */
export async function readNewPassword(question: string): Promise<string> {
  const password = await readLine(question);
  if (process.stdin.isTTY && (await readLine('Once more: ')) !== password)
    throw new StartError('That is not what you have typed before.');
  return password;
}

async function readLine(question: string): Promise<string> {
  const { stdin: input, stderr } = process;
  if (input.isTTY) stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: input.isTTY ?? false });
  try {
    lines.once('SIGINT', () => process.exit(130));
    for await (const line of lines) return line;
    throw new StartError('There was no password on standard input.');
  } finally {
    lines.close();
    if (input.isTTY) stderr.write('\n');
  }
}
