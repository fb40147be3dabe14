/** The columns of a user that follow from others: what is unique and sorted by, and what searches go through. */

import { textKey } from '../lib/text.ts';
import { searchTextOf } from '../search/terms.ts';
import type { User } from './schema.ts';

export function derivedColumns(user: Pick<User, 'username' | 'email' | 'full_name'>) {
  return {
    username_key: textKey(user.username),
    email_key: textKey(user.email),
    search_text: searchTextOf(user),
  };
}
