/** A question that is answered with yes or no by whoever sits at the terminal. */
import { createInterface } from 'node:readline/promises';

export const UNCHANGED = 'Nothing is changed.';

export async function askYesOrNo(question: string): Promise<boolean | undefined> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY) return undefined;
  const lines = createInterface({ input, output });
  try {
    const answer = await lines.question(`${question} [y/N] `).catch(() => '');
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
