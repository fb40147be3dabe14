/** What the views of undo can call. */
import { choiceName, otherName } from './form.ts';
import type { Left } from './steps.ts';
import { OPTIONS, WHY_LEFT } from './words.ts';

export const undoHelpers = {
  choiceName,
  otherName,
  undoOptions: OPTIONS,
  whyLeft: (why: Left) => WHY_LEFT[why],
};
