/** The columns of a user that follow from others: what is unique, what is sorted by, and what searches go through. */
import { textKey } from '../lib/text.ts';
import { searchTextOf, sortKeyOf } from '../search/search-text.ts';
import { SEARCHED_FIELDS, type User } from './schema.ts';

export function derivedColumns(user: Pick<User, 'username' | 'email'> & Partial<User>) {
  return {
    username_key: textKey(user.username),
    email_key: textKey(user.email),
    username_sort: sortKeyOf(user.username),
    name_sort: sortKeyOf(user.full_name ?? user.username),
    search_text: searchTextOf(Object.fromEntries(SEARCHED_FIELDS.map((name) => [name, user[name]]))),
  };
}

export function changesDerived(before: User, after: User): boolean {
  return SEARCHED_FIELDS.some((name) => after[name] !== before[name]);
}
