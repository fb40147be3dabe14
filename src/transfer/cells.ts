/**
 * Cells of a CSV file that a spreadsheet opens. What it would run as a formula (https://owasp.org/www-community/attacks/CSV_Injection)
 * gets an apostrophe, and so does what begins with one; on the way in just that one is taken off again.
 */

const RUN = /^[=+\-@\t\r\n＝＋－＠]/;
const APOSTROPHE = "'";

export function toCell(value: string): string {
  return RUN.test(value) || value.startsWith(APOSTROPHE) ? APOSTROPHE + value : value;
}

/** `'t Hooft`, in a file from elsewhere, stays what it is. */
export function fromCell(cell: string): string {
  const rest = cell.slice(1);
  return cell.startsWith(APOSTROPHE) && (RUN.test(rest) || rest.startsWith(APOSTROPHE)) ? rest : cell;
}
