/** How the databases of one run of the tests are called, so that they can be told from all others. */
export function databasePrefix(run: number): string {
  return `roster_test_${run}_`;
}
