/** A Roster at a terminal, by Debian's `script`. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { launch, MAIN, unyielding } from './roster.ts';

export const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0;

type Type = (keys: string) => void;

/** Runs a command of Roster's to its end, where somebody answers a question once it is asked. @param answer made of what was said by then, and of what is typed before @param program by which it is run */
export async function runAtTerminal(
  args: readonly string[],
  settings: Record<string, string>,
  question: string,
  answer: string | ((said: string, type: Type) => Promise<string>),
  program: readonly string[] = [process.execPath, MAIN],
) {
  const command = [...program, ...args].map((word) => `'${word}'`).join(' ');
  const typed = ['--quiet', '--return', '--command', command, '/dev/null'];
  const child = launch('script', typed, unyielding(settings), null);
  let out = '';
  const type = (keys: string) => void child.stdin.write(keys);
  const reply = async () => type(`${typeof answer === 'string' ? answer : await answer(out, type)}\n`);
  child.stdout.setEncoding('utf8').on('data', (said: string) => {
    const isAsked = !out.includes(question) && (out + said).includes(question);
    out += said;
    if (isAsked) reply();
  });
  const [code] = await once(child, 'close');
  return { out, code };
}
