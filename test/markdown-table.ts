/** Tables as READMEs have them. @returns its lines; a row that is shorter than the head ends with empty cells */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => head.map((_, at) => row[at] ?? ''))];
  return cells.map((row) => `| ${row.join(' | ')} |`);
}
