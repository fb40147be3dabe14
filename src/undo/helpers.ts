/** What the views of undo can call. */
import { choiceName, otherName } from './form.ts';
import type { Left } from './steps.ts';
import {
  NO_ACCESS,
  OPTIONS,
  WHY_LEFT,
  whatBecomesOf,
  whatBecomesOfAll,
  whatStaysEndedOfAll,
  whyStays,
} from './words.ts';

export const undoHelpers = {
  choiceName,
  otherName,
  undoOptions: OPTIONS,
  noAccess: NO_ACCESS,
  whyLeft: (why: Left) => WHY_LEFT[why],
  whyStays,
  whatBecomesOf,
  whatBecomesOfAll,
  whatStaysEndedOfAll,
};
