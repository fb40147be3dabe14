/** The columns of a user that follow from others: what is unique and sorted by, and what searches go through. */
import { textKey } from '../lib/text.ts';
import { joinFields } from '../search/terms.ts';
import { SEARCHED_FIELDS, type User } from './schema.ts';

type Named = Pick<User, 'username' | 'email'>;

export function derivedColumns(user: Named & Partial<User>) {
  return {
    username_key: textKey(user.username),
    email_key: textKey(user.email),
    search_text: searchTextOf(user),
  };
}

export function searchTextOf(user: Named & Partial<User>): string {
  return joinFields(SEARCHED_FIELDS.map((name) => user[name]));
}
