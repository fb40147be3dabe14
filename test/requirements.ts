/** What a test takes and npm does not bring: on a machine without it the test is skipped, or with REQUIRE_ALL=1 it fails. */
const isAllRequired = process.env.REQUIRE_ALL === '1';

/** For `skipIf`. */
export function isLacking(isThere: boolean): boolean {
  return !isThere && !isAllRequired;
}

/** For a test that finds it out by itself. @param what a sentence */
export function lack(skip: (note: string) => void, what: string): void {
  if (isAllRequired) throw new Error(what);
  skip(what);
}
