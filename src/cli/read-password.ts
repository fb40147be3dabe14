/** A password from whoever sits at the terminal, or from the program that runs the command. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { PASSWORDS_DIFFER } from '../auth/password-rules.ts';
import { StartError } from '../errors.ts';

const NO_PASSWORD = 'There was no password on standard input.';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** At a terminal nothing typed is shown, so it is asked twice. @throws StartError for none, and for two that differ. */
export async function readNewPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) return readPiped(process.stdin);
  const password = await ask(question);
  if ((await ask('Repeat the password: ')) !== password) throw new StartError(PASSWORDS_DIFFER);
  return password;
}

async function ask(question: string): Promise<string> {
  const { stdin: input, stderr } = process;
  stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  try {
    lines.once('SIGINT', () => process.exit(130));
    for await (const line of lines) return line;
    throw new StartError(NO_PASSWORD);
  } finally {
    lines.close();
    stderr.write('\n');
  }
}

/** The first line. Some programs put U+FEFF before what they pipe: decoding leaves it out. */
async function readPiped(input: AsyncIterable<Buffer>): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of input) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes(NEWLINE)) break;
  }
  if (bytes.length === 0) throw new StartError(NO_PASSWORD);
  const end = bytes.findIndex((byte) => byte === NEWLINE || byte === RETURN);
  return decoded(end < 0 ? bytes : bytes.subarray(0, end));
}

/** @throws StartError for UTF-16 and the like: replacement characters would become a part of the password. */
function decoded(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {}
  throw new StartError(
    'The password on standard input is not in UTF-8: set the encoding in which your shell pipes text; in PowerShell, $OutputEncoding = [Text.UTF8Encoding]::new().',
  );
}
