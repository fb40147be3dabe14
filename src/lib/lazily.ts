/** What takes a while to make, and is not always wanted: made when it is asked for first. */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
