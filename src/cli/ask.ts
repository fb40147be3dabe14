/** A question that is answered with yes or no by whoever sits at the terminal. */
import { createInterface } from 'node:readline/promises';

/** Undefined where nobody sits there. */
export async function askYesOrNo(question: string): Promise<boolean | undefined> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY) return undefined;
  const lines = createInterface({ input, output });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
