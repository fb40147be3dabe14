/** Resolves for the first `count` who call it once that many have; those who come later need not wait. */
export function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let present = 0;
  return () => {
    if (++present >= count) resolve();
    return promise;
  };
}
