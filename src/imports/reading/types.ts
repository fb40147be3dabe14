/** What reading gives. */
import type { UserChanges } from '../../users/validation.ts';

export type Field =
  | 'id'
  | 'username'
  | 'email'
  | 'full_name'
  | 'first_name'
  | 'last_name'
  | 'is_active'
  | 'role';
export type Encoding = string;
export type Delimiter = string;
export type Column = { header: string; field: Field | undefined };
/** `columns` in the order of the file. */
export type Reading = { encoding: Encoding; delimiter: Delimiter; columns: readonly Column[] };
/** What somebody has corrected. */
export type Choice = {
  encoding?: Encoding;
  delimiter?: Delimiter;
  fields?: readonly (Field | undefined)[];
};
export type Problem = { field: Field | undefined; message: string };
/** `values`: a column that is not there, or an empty cell that leaves the field, is not in it. */
export type Row = {
  line: number;
  cells: readonly string[];
  id: number | undefined;
  values: UserChanges;
  problems: readonly Problem[];
};
