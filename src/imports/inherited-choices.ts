/** Refused rows that are corrected and brought back: what was chosen about the file that they come from holds for them, too. */
import { choicesOf, howRead } from './json-columns.ts';
import type { Import } from './queries.ts';
import { REFUSED_COLUMNS } from './reading/columns.ts';
import { UnreadableError } from './reading/reading.ts';
import { recognise } from './reading/recognise.ts';
import { textIn } from './reading/values.ts';
import type { Choices } from './types.ts';

type Inherited = { choices: Choices; sentence: string };

export const NO_CHOICES: Inherited = { choices: {}, sentence: '' };

const FORGOTTEN = 'What was chosen about the earlier file is not known any more.';

/** @param path of the file that is brought @param earlier the import that has refused its rows, if it is still known */
export async function inheritChoices(path: string, earlier: Import | undefined): Promise<Inherited> {
  if (earlier === undefined) return { ...NO_CHOICES, sentence: FORGOTTEN };
  // Roster has written them as it reads them best.
  const { encoding: _, delimiter: __, ...choices } = choicesOf(earlier);
  if (Object.keys(choices).length === 0) return NO_CHOICES;
  const headers = await headersOf(path);
  if (headers === undefined) return NO_CHOICES;
  const before = (howRead(earlier)?.columns ?? []).map(({ header }) => textIn(header));
  const ours = REFUSED_COLUMNS.filter((name, index) => name === headers[index]);
  if (headers.slice(ours.length).join('\n') !== before.join('\n'))
    return {
      ...NO_CHOICES,
      sentence: 'Its columns are other ones than before: choose again how it is read.',
    };
  const fields = choices.fields && [...ours.map(() => undefined), ...choices.fields];
  return { choices: { ...choices, ...(fields && { fields }) }, sentence: 'It is read as you chose before.' };
}

/** Undefined where they cannot be told, or there are no rows below them: it is said once all of it is read. */
async function headersOf(path: string): Promise<string[] | undefined> {
  try {
    return (await recognise(path)).columns.map(({ header }) => textIn(header));
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return error.reading?.columns.map(({ header }) => textIn(header));
  }
}
