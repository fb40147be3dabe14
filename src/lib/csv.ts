/** CSV for spreadsheets: what one would run as a formula (https://owasp.org/www-community/attacks/CSV_Injection) gets an apostrophe, which is taken off on the way in. */
import { stringify } from 'csv-stringify/sync';

/** First in a file: without it Excel does not see that it is UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';

const RUN = /^[=+\-@\t\r\n＝＋－＠]/;
const APOSTROPHE = "'";

/** What some spreadsheets end a cell or a row at where it stands without quotes, whatever the others of this file end with. */
const QUOTED = /[,;\t\r\n]/;

export function csvOf(rows: readonly (readonly string[])[], delimiter = ','): string {
  const cells = rows.map((row) => row.map(toCell));
  return stringify(cells, { delimiter, record_delimiter: 'windows', quoted_match: QUOTED });
}

export function toCell(value: string): string {
  return RUN.test(value) || value.startsWith(APOSTROPHE) ? APOSTROPHE + value : value;
}

/** `'t Hooft`, in a file from elsewhere, stays what it is. */
export function fromCell(cell: string): string {
  const rest = cell.slice(1);
  return cell.startsWith(APOSTROPHE) && (RUN.test(rest) || rest.startsWith(APOSTROPHE)) ? rest : cell;
}
