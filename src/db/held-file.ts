/** A database file that is replaced by another one as a whole. */
export * from './sqlite/held-file.ts';
