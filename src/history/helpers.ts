/** What the views of history can call. */
import { MOST_TYPED } from '../search/terms.ts';
import { historyAddress } from './address.ts';
import { KINDS } from './kinds.ts';
import type { ChangeSet } from './queries.ts';
import { MOST_GONE_THROUGH } from './versions.ts';
import {
  byWhom,
  fieldName,
  isUndoable,
  KIND_NAMES,
  namesOf,
  shownValue,
  titleOf,
  UNFINISHED,
  wayInList,
  wayOf,
  whoDid,
  wordsOf,
} from './words.ts';

export const historyHelpers = {
  byWhom,
  fieldName,
  fieldNames: namesOf,
  historyAddress,
  isLoaded: ({ kind }: ChangeSet) => kind === KINDS.loaded,
  isUndoable,
  kindNames: KIND_NAMES,
  mostGoneThrough: MOST_GONE_THROUGH,
  mostTyped: MOST_TYPED,
  shownValue,
  titleOf,
  unfinished: UNFINISHED,
  wayInList,
  wayOf,
  whoDid,
  wordsOf,
};
